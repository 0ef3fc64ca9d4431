import type { AuditRecord, ChainHead } from '../audit-chain.ts';
import type { AuditEvent, AuditEventType } from '../audit-event.ts';

/**
 * Where the audit record is kept. The core hands over batches one after the other, never two at once, and keeps a batch
 * that was rejected for the next try: so a rejected append must leave nothing of it behind, or drop the repeats by
 * event id.
 */
export interface AuditSink {
  /** Makes it ready; awaited at the killswitch's start. Omit it if there is nothing to do. Idempotent. */
  open?(): Promise<void>;

  /** Appends all events in this order, or none. Resolves only when they are durable. */
  append(events: readonly AuditEvent[]): Promise<void>;

  /** The records on file in chain order, filtered. Reading never waits for or blocks an append for long. */
  read(query?: AuditQuery): AsyncIterable<AuditRecord>;

  /** The newest record of the chain, or `undefined` while it is empty. */
  head(): Promise<ChainHead | undefined>;
}

export interface AuditQuery {
  /** Only events of this order. */
  readonly orderId?: string;
  /** Only events of this workspace. */
  readonly workspaceId?: string;
  /** Only events of these types. */
  readonly types?: readonly AuditEventType[];
  /** Only records with a greater `seq`. */
  readonly after?: number;
}

/** Whether a record is one that the query asks for. */
export function matchesQuery(query: AuditQuery, { seq, event }: AuditRecord): boolean {
  if (query.after !== undefined && seq <= query.after) return false;
  if (query.types !== undefined && !query.types.includes(event.type)) return false;
  if (query.workspaceId !== undefined && event.workspaceId !== query.workspaceId) return false;
  return query.orderId === undefined || ('orderId' in event && event.orderId === query.orderId);
}
