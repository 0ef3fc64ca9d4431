import { iso, type Killswitch } from '@agent-killswitch/core';
import { auditTypes, type WebhookType } from './event-types.ts';
import type { News } from './message.ts';

const mostReasons = 10;

/** Has `tell` called with all news of a killswitch that are of a wanted type. Returns what ends that. */
export function listen(
  ks: Pick<Killswitch, 'hostId' | 'on'>,
  wanted: ReadonlySet<WebhookType>,
  now: () => number,
  tell: (news: News) => void,
): () => void {
  const { hostId } = ks;
  const since = now();
  let told = 0;
  /** Why the record cannot be written, as far as it was told. */
  const reasons = new Set<string>();
  const own = (type: WebhookType, facts: object): void => {
    told += 1;
    const at = now();
    tell({
      type,
      fact: `${hostId} ${since} ${told} ${type}`,
      timestamp: iso(at),
      data: { hostId, ...facts },
    });
  };
  // What nobody wants is not listened to: the killswitch copies each event for whoever does.
  const isWanted = (types: readonly WebhookType[]): boolean => types.some((type) => wanted.has(type));
  const offs = [
    isWanted(auditTypes) &&
      ks.on('audit', ({ event }) => {
        if (!wanted.has(event.type)) return;
        tell({ type: event.type, fact: event.id, timestamp: event.time, data: event });
      }),
    isWanted(['audit.degraded']) &&
      ks.on('audit-degraded', (facts) => {
        // Told at every try to write: each reason is news once in an outage, and few have many.
        if (reasons.has(facts.error) || reasons.size >= mostReasons) return;
        reasons.add(facts.error);
        own('audit.degraded', facts);
      }),
    isWanted(['audit.degraded', 'audit.restored']) &&
      ks.on('audit-restored', (facts) => {
        reasons.clear();
        if (wanted.has('audit.restored')) own('audit.restored', facts);
      }),
    isWanted(['warning']) && ks.on('warning', (facts) => own('warning', facts)),
  ];
  return () => {
    for (const off of offs) if (off !== false) off();
  };
}
