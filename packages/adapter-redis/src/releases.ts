import { type Approval, type Gate, scopeKey } from '@agent-killswitch/core';
import type { Caller } from './caller.ts';
import { fixed } from './envelope.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import { readFields } from './lua/reads.ts';
import { approve, release } from './lua/releases.ts';
import type { Records, Stored } from './records.ts';
import { inOrder, pairsOf } from './replies.ts';

/** Approvals, and the gates that go with them. See `StateStore`. */
export class Releases {
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

  async approve(approval: Approval): Promise<readonly Approval[]> {
    const orders = `${approval.orderIds.join(' ')}\n`;
    const args = [orders, approval.principal.id, fixed('approval', approval)];
    const answer = await this.link.run(approve, [this.keys.approvals], args);
    return inOrder(pairsOf(answer).map(([field, raw]) => this.records.approval(field, raw)));
  }

  /** Reads the gates first: one that cannot be read must not be opened, since nobody could say what was (I4). */
  async release(orderIds: readonly string[]): Promise<readonly Gate[]> {
    const { gates, shut, approvals, released, changes, openable, channel } = this.keys;
    const raw = (await this.link.run(readFields, [gates], orderIds)) as (string | null)[];
    const standing = new Map<string, { readonly gate: Stored<Gate>; readonly raw: string }>();
    orderIds.forEach((orderId, at) => {
      const record = raw[at] ?? null;
      if (record === null) return;
      const gate = this.records.gate(orderId, record);
      if (gate.record.opens === 'on-release') standing.set(orderId, { gate, raw: record });
    });
    const going = [...standing].flatMap(([id, { gate, raw: record }]) => [
      id,
      scopeKey(gate.record.scope),
      record,
    ]);
    const answer = await this.link.run(
      release,
      [gates, shut, approvals, released, changes, openable],
      [
        this.caller.next(),
        channel,
        this.caller.event({ released: true }),
        String(standing.size),
        ...going,
        ...orderIds,
      ],
    );
    return inOrder((answer as string[]).flatMap((orderId) => standing.get(orderId)?.gate ?? []));
  }
}
