import type { AuditRecord, ChainHead } from '../audit-chain.ts';
import type { AuditEvent, AuditEventType } from '../audit-event.ts';
import { InvalidInputError } from '../errors.ts';
import type { Verification, VerificationRequest } from './audit-verification.ts';

/**
 * Where the audit record is kept, on one hash chain or on several. The core hands over batches one after the other,
 * never two at once but where one has not been answered for a minute, and tells what it is not sure of again: a batch that was rejected, and after a crash whatever
 * follows from stored state.
 */
export interface AuditSink {
  /**
   * Makes it ready; nothing else is asked of it before. A killswitch that starts does not start if it rejects, and goes on
   * without it after 90 s, as in an outage; then, as after a rejection, it is asked again, while the first call may be on its way.
   * Omit it if there is nothing to do. Idempotent.
   */
  open?(): Promise<void>;

  /**
   * Appends all events in this order, or none, but for those whose id is on file already, which are dropped (I4).
   * Resolves only when they are durable. Rejecting means an outage, and the same events come again; so
   * does no answer for a minute, twice as long each time, and then the first call may be on its way. But for `invalid-input`, which says that one of them will never be taken: the core then finds that one, and has
   * `audit.event-refused` stand in its place.
   */
  append(events: readonly AuditEvent[]): Promise<void>;

  /**
   * The records on file, filtered, in the sink's reading order. That order is total and never changes; a chain's records
   * stand in it in chain order, and one process's appends in the order in which they were made. Where several processes
   * write, one may add a record before others that were read already: whoever follows such a sink keeps a place per
   * `partition`. Reading never waits for or blocks an append for long.
   */
  read(query?: AuditQuery): AsyncIterable<AuditRecord>;

  /**
   * Of a sink that passes on to another what it took: everything that it has not passed on for certain, on chains of its
   * own; what was passed on may be among it, and what is damaged is missing. Asked at a start when `read` rejects. It
   * rejects if something was passed on while it was read. Omit it if `read` needs nobody else.
   */
  readUndelivered?(query?: AuditQuery): AsyncIterable<AuditRecord>;

  /** The newest record of each chain that has any, each chain once. */
  heads(): Promise<readonly PartitionHead[]>;

  /**
   * Checks that what is on record is what was put there, chain by chain in the order of their names, in bounded memory;
   * changes nothing and never blocks an append for long. Rejects if it could not look. Omit it if the sink cannot tell.
   */
  verify?(request?: VerificationRequest): Promise<Verification>;
}

/** Where one of a sink's chains ends. */
export type PartitionHead = ChainHead & Pick<AuditRecord, 'partition'>;

export interface AuditQuery {
  /** Only events of this order. */
  readonly orderId?: string;
  /** Only events about this task or its agents. */
  readonly taskId?: string;
  /** Only events about what this principal asked for. */
  readonly principalId?: string;
  /** Only events of this workspace. */
  readonly workspaceId?: string;
  /** Only events of these types. */
  readonly types?: readonly AuditEventType[];
  /** Only what happened then or later, by the clock of the host that says so, in milliseconds since the Unix epoch. */
  readonly from?: number;
  /** Only what happened before that, likewise. */
  readonly until?: number;
  /** Only records of this chain. */
  readonly partition?: string;
  /** Only what comes after this record in reading order. If it is not on file, reading rejects: `invalid-input`. */
  readonly after?: RecordPlace;
}

/** Names one record of a sink. */
export type RecordPlace = Pick<AuditRecord, 'partition' | 'seq'>;

/** Whether a record of a sink that has one chain only is one that the query asks for. */
export function matchesQuery(query: AuditQuery, { partition, seq, event }: AuditRecord): boolean {
  if (query.after !== undefined && seq <= query.after.seq) return false;
  if (query.partition !== undefined && partition !== query.partition) return false;
  if (query.types !== undefined && !query.types.includes(event.type)) return false;
  if (query.workspaceId !== undefined && event.workspaceId !== query.workspaceId) return false;
  if (!isWithin(query, event)) return false;
  if (query.taskId !== undefined && taskOf(event) !== query.taskId) return false;
  if (query.principalId !== undefined && !('principal' in event && event.principal.id === query.principalId))
    return false;
  return query.orderId === undefined || ('orderId' in event && event.orderId === query.orderId);
}

function isWithin({ from, until }: AuditQuery, { time }: AuditEvent): boolean {
  if (from === undefined && until === undefined) return true;
  const at = Date.parse(time);
  return (from === undefined || at >= from) && (until === undefined || at < until);
}

/** The task that an event is about: that of its agent, or the one that was aimed at. */
function taskOf(event: AuditEvent): string | undefined {
  if ('taskId' in event) return event.taskId;
  return 'scope' in event && 'task' in event.scope ? event.scope.task : undefined;
}

/** @throws InvalidInputError if the record after which to read is on none of these chains, which start from 0 */
export function requireOnFile({ after }: AuditQuery, heads: readonly PartitionHead[]): void {
  if (after === undefined) return;
  const { partition, seq } = after;
  const isThere = heads.some((head) => head.partition === partition && seq <= head.seq);
  if (isThere && Number.isInteger(seq) && seq >= 0) return;
  throw new InvalidInputError('audit query', [`after: no record ${seq} of chain "${partition}" is on file`]);
}
