import type { AuditEvent, ScopeKind } from '@agent-killswitch/core';

/** The chain of events about no workspace, or about several. No workspace can have this id. */
export const systemChain = '.system';

/** On which chain an event stands. An event is on one chain whoever tells it, so its id is looked for under one lock. */
export function chainOf({ workspaceId }: AuditEvent): string {
  return workspaceId ?? systemChain;
}

/** What of an event stands in columns of its own, besides the whole; `null` where the event has none. */
export interface Columns {
  readonly event_id: string;
  readonly type: string;
  readonly event_time: string;
  readonly host_id: string;
  readonly workspace_id: string | null;
  readonly order_id: string | null;
  readonly task_id: string | null;
  readonly agent_id: string | null;
  readonly session_ids: string | null;
  readonly owner_id: string | null;
  readonly backend_id: string | null;
  readonly principal_id: string | null;
  readonly principal_kind: string | null;
  readonly reason: string | null;
  readonly status_before: string | null;
  readonly outcome: string | null;
  readonly policy_version: string | null;
}

/** In the order in which `append_1` takes them. */
export const columnNames = [
  'event_id',
  'type',
  'event_time',
  'host_id',
  'workspace_id',
  'order_id',
  'task_id',
  'agent_id',
  'session_ids',
  'owner_id',
  'backend_id',
  'principal_id',
  'principal_kind',
  'reason',
  'status_before',
  'outcome',
  'policy_version',
] as const satisfies readonly (keyof Columns)[];

/** Every member that some kind of event has and that gets a column. */
type Texts =
  | 'orderId'
  | 'taskId'
  | 'agentId'
  | 'ownerId'
  | 'backendId'
  | 'reason'
  | 'statusBefore'
  | 'policyVersion';
type Members = { readonly [Name in Texts]?: string | undefined } & {
  readonly sessionIds?: readonly string[];
  readonly scope?: { readonly [Kind in ScopeKind]?: string | boolean };
  readonly principal?: { readonly id: string; readonly kind: string };
};

export function columnsOf(event: AuditEvent): Columns {
  const members: Members = event;
  const { scope, principal, sessionIds } = members;
  const named = (kind: 'task' | 'agent' | 'backend'): string | null => {
    const id = scope?.[kind];
    return typeof id === 'string' ? id : null;
  };
  return {
    event_id: event.id,
    type: event.type,
    event_time: event.time,
    host_id: event.hostId,
    workspace_id: event.workspaceId ?? null,
    order_id: members.orderId ?? null,
    task_id: members.taskId ?? named('task'),
    agent_id: members.agentId ?? named('agent'),
    session_ids: sessionIds === undefined ? null : `{${sessionIds.map((id) => `"${id}"`).join(',')}}`,
    owner_id: members.ownerId ?? null,
    backend_id: members.backendId ?? named('backend'),
    principal_id: principal?.id ?? null,
    principal_kind: principal?.kind ?? null,
    reason: asText(members.reason),
    status_before: members.statusBefore ?? null,
    outcome: outcomeOf(event),
    policy_version: asText(members.policyVersion),
  };
}

function outcomeOf(event: AuditEvent): string | null {
  switch (event.type) {
    case 'agent.killed':
      return 'confirmed';
    case 'agent.unconfirmed':
      return 'unconfirmed';
    case 'cleanup.finished':
      return event.status;
    case 'order.settled':
      return 'settled';
    case 'request.denied':
      return 'denied';
    case 'gate.released':
      return 'released';
    default:
      return null;
  }
}

/** What a text of Postgres can hold of it; the event itself keeps all. */
function asText(text: string | undefined): string | null {
  return text === undefined ? null : text.toWellFormed().replaceAll('\0', '\ufffd');
}
