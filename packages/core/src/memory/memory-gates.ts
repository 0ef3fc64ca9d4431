import { InvalidInputError } from '../errors.ts';
import { type Gate, gateOf } from '../gate.ts';
import type { StopOrder } from '../order.ts';
import type { GateChanges } from '../ports/state-store.ts';
import { type ScopeKey, scopeKey } from '../scope.ts';
import { frozen } from './frozen.ts';

const mostChanges = 1_000;

/** The gates that stand, and a log of the lasting ones that were shut or opened. */
export class MemoryGates {
  private readonly byOrder = new Map<string, Gate>();
  private readonly byKey = new Map<ScopeKey, Gate[]>();
  /** Orders whose lasting gates were shut or opened, in this order. */
  private readonly log: string[] = [];

  /** The first of those on any of these scopes. */
  on(keys: readonly ScopeKey[]): Gate | undefined {
    for (const key of keys) {
      const gate = this.byKey.get(key)?.[0];
      if (gate !== undefined) return gate;
    }
    return undefined;
  }

  list(on?: ScopeKey): readonly Gate[] {
    return on === undefined ? [...this.byOrder.values()] : [...(this.byKey.get(on) ?? [])];
  }

  shut(order: StopOrder): void {
    const gate = frozen(gateOf(order));
    const key = scopeKey(order.scope);
    this.byOrder.set(order.orderId, gate);
    this.byKey.set(key, [...(this.byKey.get(key) ?? []), gate]);
    if (order.opens !== 'at-settle') this.log.push(order.orderId);
  }

  /** Opens the gate of an order that has settled, if that is what it waited for. */
  settle(orderId: string): void {
    const gate = this.byOrder.get(orderId);
    if (gate?.opens === 'at-settle') this.remove(gate);
  }

  /** Opens those of these orders that open on a release, and returns them, in the order of their placing. */
  release(orderIds: ReadonlySet<string>): readonly Gate[] {
    const released = [...this.byOrder.values()].filter(
      (gate) => orderIds.has(gate.orderId) && gate.opens === 'on-release',
    );
    for (const gate of released) {
      this.remove(gate);
      this.log.push(gate.orderId);
    }
    return released;
  }

  /** See `StateStore.gateChanges`. @throws InvalidInputError */
  changes(after: string | undefined, orderOf: (orderId: string) => StopOrder | undefined): GateChanges {
    if (after === undefined) return { changes: [], place: String(this.log.length) };
    const start = Number(after);
    if (!Number.isSafeInteger(start) || start < 0 || start > this.log.length)
      throw new InvalidInputError('place', ['is not one that this store gave']);
    const end = Math.min(start + mostChanges, this.log.length);
    const changes = [...new Set(this.log.slice(start, end))].flatMap((orderId) => {
      const order = orderOf(orderId);
      return order === undefined ? [] : [{ order, stands: this.byOrder.has(orderId) }];
    });
    return { changes, place: String(end) };
  }

  private remove(gate: Gate): void {
    this.byOrder.delete(gate.orderId);
    const key = scopeKey(gate.scope);
    const others = (this.byKey.get(key) ?? []).filter((other) => other.orderId !== gate.orderId);
    if (others.length > 0) this.byKey.set(key, others);
    else this.byKey.delete(key);
  }
}
