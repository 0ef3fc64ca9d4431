import type { AuditEvent } from './audit-event.ts';
import type { GuardedEvents } from './events.ts';

/** How many ids of facts are remembered that listeners were told of (I12). */
const maxTold = 10_000;

/** Listeners hear once what the record is given again, and takes once, by its id. */
export class ToldFacts {
  readonly #events: GuardedEvents;
  readonly #ids = new Set<string>();

  constructor(events: GuardedEvents) {
    this.#events = events;
  }

  tell(event: AuditEvent, isCopy: boolean): void {
    if (!this.#events.hasListener('audit') || this.#ids.has(event.id)) return;
    this.#ids.add(event.id);
    const [oldest] = this.#ids;
    if (this.#ids.size > maxTold && oldest !== undefined) this.#ids.delete(oldest);
    this.#events.emit('audit', { event, isCopy });
  }
}
