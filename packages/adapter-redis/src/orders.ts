import {
  type Gate,
  type GateChange,
  type GateChanges,
  type GateOverview,
  gateOf,
  InvalidInputError,
  type Placement,
  type ScopeKey,
  type StopOrder,
  scopeKey,
} from '@agent-killswitch/core';
import type { Caller } from './caller.ts';
import { fixed, orderHead, orderTail } from './envelope.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import { gateChanges } from './lua/gate-changes.ts';
import { gateOverview, listOpenOrders, placeOrder, readGatesOn, swapOrder } from './lua/orders.ts';
import { readFields, readHash } from './lua/reads.ts';
import type { Records, Stored } from './records.ts';
import { flag, inOrder, pairsOf } from './replies.ts';

const mostChanges = 1_000;
/** Gates that are checked in one turn of the event loop. */
const mostChecked = 500;

/** Stop orders and the gates that they shut. See `StateStore`. */
export class Orders {
  private readonly keys: Keys;
  private readonly link: Link;
  private readonly records: Records;
  private readonly caller: Caller;

  constructor(link: Link, records: Records, caller: Caller) {
    this.keys = link.keys;
    this.link = link;
    this.records = records;
    this.caller = caller;
  }

  async placeOrder(order: StopOrder): Promise<Placement> {
    const { orderId } = order;
    const key = scopeKey(order.scope);
    const answer = await this.link.run(
      placeOrder,
      [...this.orderKeys(), this.keys.changes],
      [
        ...[
          orderId,
          orderHead(order, this.caller.next()),
          orderTail(order),
          fixed('gate', gateOf(order)),
          key,
        ],
        ...[`${order.opens} ${key}`, flag(order.settledAt !== undefined)],
        ...[this.keys.channel, this.caller.event({ order: orderId })],
      ],
    );
    const [result, id, raw] = answer as ['placed' | 'open' | 'used', string, string | null];
    if (result === 'placed') {
      this.link.note({ epoch: Number(id) });
      return { placed: true };
    }
    if (result === 'open') return { placed: false, open: this.records.order(id, raw ?? '') };
    throw new InvalidInputError('stop order', [`orderId: "${orderId}" is the id of another order`]);
  }

  async getOrder(orderId: string): Promise<StopOrder | undefined> {
    const [raw] = (await this.link.run(readFields, [this.keys.orders], [orderId])) as (string | null)[];
    return raw === null || raw === undefined ? undefined : this.records.order(orderId, raw);
  }

  async swapOrder(order: StopOrder): Promise<boolean> {
    const { orderId, revision, opens } = order;
    const call = this.caller.next();
    const key = scopeKey(order.scope);
    const isSettled = order.settledAt !== undefined;
    const answer = await this.link.run(swapOrder, this.orderKeys(), [
      ...[orderId, orderHead(order, call), orderTail(order), String(revision - 1), String(revision), call],
      ...[key, `${opens} ${key}`, flag(isSettled), flag(!isSettled && order.released === undefined)],
      ...[flag(isSettled && opens === 'at-settle'), this.keys.channel, this.caller.event({ order: orderId })],
    ]);
    return answer === '1';
  }

  async listOpenOrders(): Promise<readonly StopOrder[]> {
    const { orders, open } = this.keys;
    const answer = await this.link.run(listOpenOrders, [orders, open], []);
    const [epoch, seq, ...pairs] = answer as [string, string, ...(string | null)[]];
    this.link.note({ epoch: Number(epoch), seq: Number(seq) });
    return pairsOf(pairs).map(([orderId, raw]) => this.records.order(orderId, raw));
  }

  async listGates(on?: ScopeKey): Promise<readonly Gate[]> {
    const { gates, shut } = this.keys;
    const answer =
      on === undefined
        ? await this.link.run(readHash, [gates], [])
        : await this.link.run(readGatesOn, [gates, shut], [on]);
    const found: Stored<Gate>[] = [];
    for (const [orderId, raw] of pairsOf(answer)) {
      found.push(this.records.gate(orderId, raw));
      // A hundred thousand at a stretch would keep every kill on this host waiting for a second.
      if (found.length % mostChecked === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return inOrder(found);
  }

  async gateOverview(most: number): Promise<GateOverview> {
    const { gates, openable, changes } = this.keys;
    const answer = await this.link.run(gateOverview, [gates, openable, changes], [String(most)]);
    const [count, ...pairs] = answer as [string, ...(string | null)[]];
    const found = pairsOf(pairs).map(([orderId, raw]) => this.records.gate(orderId, raw));
    return { gates: inOrder(found), count: Number(count) };
  }

  async gateChanges(after?: string): Promise<GateChanges> {
    const { orders, gates, changes: key } = this.keys;
    const [, epoch = '', last = ''] = /^(\d{1,16}) (\S*)$/.exec(after ?? '') ?? [];
    if (after !== undefined && epoch === '')
      throw new InvalidInputError('place', ['is not one that this store gave']);
    const answer = await this.link.run(gateChanges, [orders, gates, key], [epoch, last, `${mostChanges}`]);
    const [lastEpoch, lastId, ...rest] = answer as string[];
    if (lastEpoch === 'lost') throw this.link.lose();
    const changes: GateChange[] = [];
    for (let at = 0; at < rest.length; at += 3) {
      const order = this.records.order(rest[at] ?? '', rest[at + 1] ?? '');
      changes.push({ order, stands: rest[at + 2] === '1' });
    }
    return { changes, place: `${lastEpoch} ${lastId}` };
  }

  private orderKeys(): string[] {
    const { orders, open, joinable, gates, shut, openable } = this.keys;
    return [orders, open, joinable, gates, shut, openable];
  }
}
