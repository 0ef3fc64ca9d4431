import type { Agent, AgentStatus, StopOrder } from '@agent-killswitch/core';
import { SessionStoreError } from './errors.ts';
import type { SessionRecord } from './session-record.ts';

/** What is known of a session. Times are milliseconds since the Unix epoch. */
export interface Session {
  readonly sessionId: string;
  readonly taskId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  /** The host that runs it. */
  readonly hostId: string;
  /** `killing`: told to die and not seen dead yet. */
  readonly status: AgentStatus;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Why it has failed. */
  readonly error?: string;
  /** When it was seen dead under a kill. */
  readonly killedAt?: number;
  /** When a kill's deadline passed and it was not seen dead. */
  readonly unconfirmedAt?: number;
  /** The id of the principal whose stop claimed it, and the reason given; also while it is `killing`. */
  readonly killedBy?: string;
  readonly killReason?: string;
  /** What it last said of its work; stays after its end, however it ended. */
  readonly checkpoint?: {
    readonly value: unknown;
    readonly savedAt: number;
    /** How many it had given by then. */
    readonly number: number;
  };
}

/**
 * @param order the one that claimed the agent, if any did
 * @throws SessionStoreError for a checkpoint that is none
 */
export function sessionOf(
  agent: Agent,
  order: StopOrder | undefined,
  record: SessionRecord | undefined,
): Session {
  const { agentId: sessionId, taskId, workspaceId, ownerId, hostId, status, spawnedAt: startedAt } = agent;
  return {
    ...{ sessionId, taskId, workspaceId, ownerId, hostId, status, startedAt },
    ...('completedAt' in agent ? { endedAt: agent.completedAt } : {}),
    ...('error' in agent ? { error: agent.error } : {}),
    ...('kill' in agent ? killOf(agent.kill) : {}),
    ...(order === undefined ? {} : { killedBy: order.principal.id, killReason: order.reason }),
    ...(record?.checkpoint === undefined ? {} : { checkpoint: checkpointOf(sessionId, record.checkpoint) }),
  };
}

function killOf({ confirmedAt, unconfirmedAt }: Extract<Agent, { status: 'killed' }>['kill']) {
  return {
    ...(confirmedAt === undefined ? {} : { killedAt: confirmedAt }),
    ...(unconfirmedAt === undefined ? {} : { unconfirmedAt }),
  };
}

function checkpointOf(sessionId: string, { json, ...rest }: NonNullable<SessionRecord['checkpoint']>) {
  try {
    return { value: JSON.parse(json) as unknown, ...rest };
  } catch {
    throw new SessionStoreError(`The checkpoint of session "${sessionId}" is not JSON`);
  }
}
