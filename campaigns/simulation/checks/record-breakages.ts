import type { AuditEvent, AuditEventType } from '@agent-killswitch/core';
import type { MemoryAudit } from '@agent-killswitch/core/memory';
import type { Round } from '../round.ts';
import { after, type Breakage, isThere, never } from './breaking.ts';
import type { CheckName } from './index.ts';

/** What the checks of the record must find. */
export const recordBreakages = {
  chainsAreWhole: (round) => ({
    ...round,
    sinks: round.sinks.map((sink) => ({
      ...sink,
      records: () => sink.records().map((record) => ({ ...record, hash: 'x' })),
    })),
  }),
  ordersAreOnRecord: (round) => without(round, 'order.settled'),
  settlementsAddUp: (round) => {
    const changed = round.sinks.map((sink) => ({
      ...sink,
      events: () =>
        sink.events().map((event) => (event.type === 'order.settled' ? { ...event, total: 99 } : event)),
    }));
    return eventsOf(round, 'order.settled').length === 0 ? undefined : { ...round, sinks: changed };
  },
  callersAreOnRecord: (round) => without(round, 'order.joined'),
  killsAreOnRecord: (round) => without(round, 'agent.killed'),
  recordedDeathIsReal: (round) => {
    const events = eventsOf(round, 'agent.killed');
    const body = events.map(({ agentId }) => round.history.bodies.get(agentId)).find(isThere);
    return after(round, body, (it) => {
      it.diedAt = never;
    });
  },
  denialsAreOnRecord: (round) => without(round, 'request.denied'),
  releasesAreOnRecord: (round) => without(round, 'gate.released'),
  cleanupsAreOnRecord: (round) => without(round, 'cleanup.finished'),
} satisfies Partial<Record<CheckName, Breakage>>;

function eventsOf<T extends AuditEventType>(
  { sinks }: Round,
  type: T,
): Array<Extract<AuditEvent, { type: T }>> {
  const events = sinks.flatMap((sink) => sink.events());
  return events.filter((event): event is Extract<AuditEvent, { type: T }> => event.type === type);
}

/** As if no sink and no last resort had ever been told of such events. */
function without(round: Round, type: AuditEventType): Round | undefined {
  if (eventsOf(round, type).length === 0) return undefined;
  const { lastResort } = round.history;
  lastResort.splice(0, lastResort.length, ...lastResort.filter(({ event }) => event.type !== type));
  const forgetful = (sink: MemoryAudit): MemoryAudit => ({
    ...sink,
    events: () => sink.events().filter((event) => event.type !== type),
  });
  return { ...round, sinks: round.sinks.map(forgetful) };
}
