import type { AuditEvent } from './audit-event.ts';
import { canonical } from './canonical.ts';
import { contained } from './contained.ts';

/** What can be told again leaves places to what cannot, and so do denials; and they leave places to everything else (I4). */
const most = { all: 10_000, again: 9_000, withDenials: 9_500, denials: 4_000 };

/** Writes a line where nothing can fail any more: stderr. */
export type LastResort = (line: string) => void;

/**
 * The audit events that are not durable yet, in order, and how many of them, from the front, are on the last resort too.
 *
 * At most 10,000 (I12). Denials, which anybody can bring about, get 4,000 of these places, and events that can be told again
 * leave 1,000 to those that cannot.
 */
export class WaitingFacts {
  readonly #lastResort: LastResort;
  #facts: AuditEvent[] = [];
  #denials = 0;
  #written = 0;

  constructor(lastResort: LastResort) {
    // Whatever becomes of the line, the kill goes on.
    this.#lastResort = (line) => contained(undefined, () => lastResort(line));
  }

  get length(): number {
    return this.#facts.length;
  }

  /** Whether there are places for all of these. */
  hasRoomFor(facts: readonly AuditEvent[], canBeToldAgain: boolean): boolean {
    const total = this.#facts.length + facts.length;
    if (canBeToldAgain) return total <= most.again;
    if (!areDenials(facts)) return total <= most.all;
    return total <= most.withDenials && this.#denials + facts.length <= most.denials;
  }

  push(fact: AuditEvent): void {
    this.#facts.push(fact);
    if (isDenial(fact)) this.#denials += 1;
  }

  first(count: number): readonly AuditEvent[] {
    return this.#facts.slice(0, count);
  }

  /** These, the first ones, wait no more. */
  remove(first: readonly AuditEvent[]): void {
    this.#facts.splice(0, first.length);
    this.#denials -= first.filter(isDenial).length;
    this.#written = Math.max(0, this.#written - first.length);
  }

  /** Puts the first event on the last resort, if it is not there yet, and another one into its place. */
  replaceFirst(first: AuditEvent, standIn: AuditEvent): void {
    if (this.#written === 0) this.lose(first);
    this.#facts[0] = standIn;
    if (isDenial(first)) this.#denials -= 1;
  }

  /** Writes what does not wait, or no more, where nothing can fail. */
  lose(fact: AuditEvent): void {
    this.#lastResort(canonical(fact));
  }

  /** Puts all that wait on the last resort too, each once. */
  spill(): void {
    for (const fact of this.#facts.slice(this.#written)) this.lose(fact);
    this.#written = this.#facts.length;
  }
}

/** All of them are, or there are none. */
export function areDenials(facts: readonly AuditEvent[]): boolean {
  return facts.every(isDenial);
}

function isDenial({ type }: AuditEvent): boolean {
  return type === 'request.denied';
}
