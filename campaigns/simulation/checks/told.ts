import type { AuditEvent, AuditEventType } from '@agent-killswitch/core';
import type { Round } from '../round.ts';

/** Every event once: what repeats of the same fact on several sinks, and on the last resort of dead hosts, come to. */
export class Told {
  readonly durable = new Map<string, AuditEvent>();
  /** With what only a dead host's last resort has. */
  readonly told: Map<string, AuditEvent>;

  constructor({ sinks, history }: Round) {
    for (const sink of sinks) for (const event of sink.events()) this.durable.set(event.id, event);
    this.told = new Map(this.durable);
    for (const { life, event } of history.lastResort)
      if (life.diedAt !== undefined && !this.told.has(event.id)) this.told.set(event.id, event);
  }

  count(type: AuditEventType, key: string, value: string, from = this.durable): number {
    let found = 0;
    for (const event of from.values())
      if (event.type === type && (event as unknown as { [key: string]: unknown })[key] === value) found += 1;
    return found;
  }

  /** Those of a type that are about an agent, on the durable record. */
  ofAgent<T extends AuditEventType>(type: T, agentId: string): Array<Extract<AuditEvent, { type: T }>> {
    const found: Array<Extract<AuditEvent, { type: T }>> = [];
    for (const event of this.durable.values())
      if (isOf(event, type) && 'agentId' in event && event.agentId === agentId) found.push(event);
    return found;
  }
}

function isOf<T extends AuditEventType>(
  event: AuditEvent,
  type: T,
): event is Extract<AuditEvent, { type: T }> {
  return event.type === type;
}
