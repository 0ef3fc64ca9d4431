import {
  type AuditEvent,
  type KillswitchEvents,
  operationOf,
  scopeKey,
  scopeKind,
} from '@agent-killswitch/core';
import type { OpenSpans } from './open-spans.ts';

type OrderJoined = Extract<AuditEvent, { type: 'order.joined' }>;

/** Joins are known a moment before the step of the stop that joins; no more than these at once. */
const mostJoining = 10_000;

/** One span per stop that was asked for here. One that joins another ends there, and that one goes on. */
export class StopSpans {
  readonly #spans: OpenSpans;
  readonly #hostId: string;
  /** Orders without a span yet, by id, and the order that each has joined. */
  readonly #joining = new Map<string, string>();

  constructor(spans: OpenSpans, hostId: string) {
    this.#spans = spans;
    this.#hostId = hostId;
  }

  step({ step, order, at }: KillswitchEvents['step']): void {
    const key = keyOf(order.orderId);
    const stop = this.#spans.get(key);
    if (step === 'settled') this.#spans.end(key, at);
    else if (stop !== undefined) stop.addEvent(step, at);
    else if (order.hostId === this.#hostId) {
      this.#spans.start(key, `stop ${scopeKind(order.scope)}`, order.requestedAt, {
        'killswitch.order.id': order.orderId,
        'killswitch.scope': scopeKey(order.scope),
        'killswitch.operation': operationOf(order),
        'killswitch.reason': order.reason,
        'enduser.id': order.principal.id,
      });
      const joined = this.#joining.get(order.orderId);
      this.#joining.delete(order.orderId);
      if (joined !== undefined) this.#end(order.orderId, joined, at);
    }
  }

  joined({ orderId, joinedOrderId }: OrderJoined): void {
    if (this.#spans.get(keyOf(orderId)) !== undefined) {
      this.#end(orderId, joinedOrderId);
      return;
    }
    this.#joining.set(orderId, joinedOrderId);
    const [oldest] = this.#joining.keys();
    if (this.#joining.size > mostJoining && oldest !== undefined) this.#joining.delete(oldest);
  }

  #end(orderId: string, joinedOrderId: string, at?: number): void {
    const key = keyOf(orderId);
    const stop = this.#spans.get(key);
    stop?.setAttribute('killswitch.joined.order.id', joinedOrderId);
    stop?.addEvent('joined', at);
    this.#spans.end(key, at);
  }
}

/** Of the span of a stop. */
export function keyOf(orderId: string): string {
  return `order ${orderId}`;
}
