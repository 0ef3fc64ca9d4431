import type { AuditRecord } from './audit-chain.ts';
import type { AuditEvent } from './audit-event.ts';
import type { Actor } from './principal.ts';
import { scopeKey, scopeKind } from './scope.ts';

/** An audit record as an event of the Open Cybersecurity Schema Framework 1.6.0 (schema.ocsf.io). */
export interface OcsfEvent {
  readonly category_uid: 6;
  readonly category_name: 'Application Activity';
  /** 6002 Application Lifecycle for what happened to an agent or a gate, 6003 API Activity for what was asked of orders. */
  readonly class_uid: 6002 | 6003;
  readonly class_name: 'Application Lifecycle' | 'API Activity';
  readonly activity_id: number;
  readonly activity_name: string;
  /** `class_uid * 100 + activity_id`. */
  readonly type_uid: number;
  readonly type_name: string;
  /** 1 Informational, 2 Low, 3 Medium, 4 High. */
  readonly severity_id: 1 | 2 | 3 | 4;
  readonly severity: string;
  /** 1 Success, 2 Failure. */
  readonly status_id: 1 | 2;
  readonly status: 'Success' | 'Failure';
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly message: string;
  readonly metadata: {
    readonly version: '1.6.0';
    readonly product: typeof product;
    /** The audit event's id. */
    readonly uid: string;
    /** The audit event's type. */
    readonly event_code: string;
    readonly original_time: string;
    readonly sequence: number;
    /** The chain that the record is on. */
    readonly log_name: string;
    readonly profiles: readonly ['host'];
    readonly tenant_uid?: string;
    /** The order or release it belongs to. */
    readonly correlation_uid?: string;
  };
  /** What was affected: 6002 only. */
  readonly app?: { readonly name: string; readonly uid: string; readonly vendor_name: string };
  /** What was asked for: 6003 only, as are the two after it. */
  readonly api?: { readonly operation: string; readonly service: { readonly name: string } };
  /** The host that took the request; where the principal sat is not on record. */
  readonly src_endpoint?: { readonly uid: string; readonly svc_name: string };
  readonly resources?: ReadonlyArray<{ readonly uid: string; readonly type: string }>;
  /** Who asked; absent from what nobody asked for. */
  readonly actor?: {
    readonly user: { readonly uid: string; readonly type: string; readonly type_id: number };
  };
  /** Everything of the record that stands nowhere above, under its own name; `chain` has its two hashes. */
  readonly unmapped: Readonly<Record<string, unknown>>;
}

const vendor = 'agent-killswitch';
const product: { readonly name: string; readonly vendor_name: string } = {
  name: 'agent-killswitch',
  vendor_name: vendor,
};
const lifecycle = { class_uid: 6002, class_name: 'Application Lifecycle' } as const;
const api = { class_uid: 6003, class_name: 'API Activity' } as const;
const severities = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const;
const userTypes = { user: ['User', 1], service: ['Service', 4], agent: ['Agent', 99] } as const;
const attempts = {
  kill: [1, 'Create'],
  admit: [1, 'Create'],
  read: [2, 'Read'],
  release: [3, 'Update'],
} as const;

interface Classification {
  readonly as: typeof lifecycle | typeof api;
  readonly activity: readonly [id: number, name: string];
  readonly severity: OcsfEvent['severity_id'];
  readonly failed?: boolean;
  readonly message: string;
}

/** Pure: the same record makes the same event, of which nothing of the record is missing. */
export function toOcsf(record: AuditRecord): OcsfEvent {
  const { partition, seq, prev, hash, event } = record;
  const { as, activity, severity, failed = false, message } = classify(event);
  const { id, time, type, hostId, workspaceId, ...rest } = event;
  const { principal, ...unmapped }: Record<string, unknown> & { principal?: Actor } = rest;
  const correlation =
    'releaseId' in event ? event.releaseId : event.type === 'request.denied' ? undefined : event.orderId;
  return {
    category_uid: 6,
    category_name: 'Application Activity',
    ...as,
    activity_id: activity[0],
    activity_name: activity[1],
    type_uid: as.class_uid * 100 + activity[0],
    type_name: `${as.class_name}: ${activity[1]}`,
    severity_id: severity,
    severity: severities[severity],
    status_id: failed ? 2 : 1,
    status: failed ? 'Failure' : 'Success',
    time: Date.parse(time),
    message,
    metadata: {
      version: '1.6.0',
      product,
      uid: id,
      event_code: type,
      original_time: time,
      sequence: seq,
      log_name: partition,
      profiles: ['host'],
      ...(workspaceId !== undefined && { tenant_uid: workspaceId }),
      ...(correlation !== undefined && { correlation_uid: correlation }),
    },
    ...(as === lifecycle ? { app: appOf(event) } : requestOf(event)),
    ...(principal && { actor: { user: userOf(principal) } }),
    unmapped: { ...unmapped, hostId, chain: { prev, hash } },
  };
}

function classify(event: AuditEvent): Classification {
  switch (event.type) {
    case 'order.requested': {
      const isWide = ['everything', 'backend'].includes(scopeKind(event.scope));
      const message = `${event.operation} requested on ${scopeKey(event.scope)}`;
      return { as: api, activity: [1, 'Create'], severity: isWide ? 4 : 2, message };
    }
    case 'order.joined':
      return {
        as: api,
        activity: [3, 'Update'],
        severity: 1,
        message: `${event.operation} on ${scopeKey(event.scope)} joined order ${event.joinedOrderId}`,
      };
    case 'agent.killed':
      return {
        as: lifecycle,
        activity: [4, 'Stop'],
        severity: 2,
        message: `agent ${event.agentId} observed dead: ${event.evidence}`,
      };
    case 'agent.unconfirmed':
      return {
        as: lifecycle,
        activity: [4, 'Stop'],
        severity: 4,
        failed: true,
        message: `agent ${event.agentId} not confirmed dead at the deadline: ${event.evidence}`,
      };
    case 'cleanup.finished': {
      const failed = event.status === 'failed';
      const message = `cleanup step ${event.step} of agent ${event.agentId} ${event.status}`;
      return { as: lifecycle, activity: [2, 'Remove'], severity: failed ? 3 : 1, failed, message };
    }
    case 'order.settled':
      return {
        as: api,
        activity: [3, 'Update'],
        severity: 1,
        message: `${event.operation} on ${scopeKey(event.scope)} settled: ${event.killed} of ${event.total} killed`,
      };
    case 'request.denied':
      return {
        as: api,
        activity: attempts[event.action],
        severity: 3,
        failed: true,
        message: `${event.action} of ${scopeKey(event.scope)} denied: ${event.denial}`,
      };
    case 'release.requested':
      return {
        as: api,
        activity: [3, 'Update'],
        severity: 2,
        message: `release requested on ${scopeKey(event.scope)}`,
      };
    case 'gate.released':
      return {
        as: lifecycle,
        activity: [6, 'Enable'],
        severity: 2,
        message: `gates opened on ${scopeKey(event.scope)}`,
      };
    case 'audit.event-refused':
      return {
        as: lifecycle,
        activity: [99, 'Other'],
        severity: 4,
        failed: true,
        message: `audit event ${event.refusedId} was refused for good: ${event.error}`,
      };
  }
}

function appOf(event: AuditEvent): NonNullable<OcsfEvent['app']> {
  const name =
    'agentId' in event ? `agent:${event.agentId}` : 'scope' in event ? scopeKey(event.scope) : 'audit record';
  return { name, uid: name, vendor_name: vendor };
}

function requestOf(event: AuditEvent): Pick<OcsfEvent, 'api' | 'src_endpoint' | 'resources'> {
  const operation = 'operation' in event ? event.operation : 'action' in event ? event.action : 'release';
  const scope = 'scope' in event ? event.scope : undefined;
  return {
    api: { operation, service: { name: vendor } },
    src_endpoint: { uid: event.hostId, svc_name: vendor },
    ...(scope && { resources: [{ uid: scopeKey(scope), type: scopeKind(scope) }] }),
  };
}

function userOf({ id, kind }: Actor) {
  const [type, type_id] = userTypes[kind];
  return { uid: id, type, type_id };
}
