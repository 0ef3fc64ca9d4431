import type { AuditRecord } from './audit-chain.ts';
import type { AuditEvent, AuditEventType } from './audit-event.ts';
import { scopeKey } from './scope.ts';

/** An audit record in the JSON event format of CloudEvents 1.0. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** The audit event's id: the same whenever the same fact is told again. */
  readonly id: string;
  /** `urn:agent-killswitch:` and the id of the host that says so. */
  readonly source: string;
  readonly type: `io.agent-killswitch.${AuditEventType}`;
  /** What it is about, for example `agent:7`, `task:42` or `everything`. */
  readonly subject: string;
  /** RFC 3339 in UTC with milliseconds. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** Extension: the chain that the record is on. */
  readonly partitionkey: string;
  /** Extension: the record's place on its chain, in 16 digits, so that texts sort like numbers. */
  readonly sequence: string;
  /** Extension: the hash of the record before. */
  readonly chainprev: string;
  /** Extension: the record's own hash. */
  readonly chainhash: string;
  readonly data: AuditEvent;
}

/** Pure: the same record makes the same event. From it the record can be made again and verified. */
export function toCloudEvent({ partition, seq, prev, hash, event }: AuditRecord): CloudEvent {
  return {
    specversion: '1.0',
    id: event.id,
    source: `urn:agent-killswitch:${event.hostId.replaceAll('|', '%7C')}`,
    type: `io.agent-killswitch.${event.type}`,
    subject: subjectOf(event),
    time: event.time,
    datacontenttype: 'application/json',
    partitionkey: partition,
    sequence: String(seq).padStart(16, '0'),
    chainprev: prev,
    chainhash: hash,
    data: event,
  };
}

function subjectOf(event: AuditEvent): string {
  if ('agentId' in event) return `agent:${event.agentId}`;
  return 'scope' in event ? scopeKey(event.scope) : `event:${event.sha256}`;
}
