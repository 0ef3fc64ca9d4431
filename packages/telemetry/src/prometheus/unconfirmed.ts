import type { Clock, Killswitch, StopOrder } from '@agent-killswitch/core';
import { inTime } from './in-time.ts';

/** No more are known by name: a count of so many means "at least". */
const most = 10_000;
/** So many are asked for at once. */
const atOnce = { agents: 100, orders: 8 };

export interface UnconfirmedCount {
  readonly count: number;
  /** Whether all of them were looked at just now: another host may have seen somebody dead, or not in time. */
  readonly isWhole: boolean;
}

/**
 * Who was not observed dead by a deadline, and has not been since, as far as this host knows: it hears of those that it
 * pursues itself, asks once for those of every other open stop whose deadline has passed, and looks at each of them again.
 */
export class Unconfirmed {
  readonly #ks: Killswitch;
  readonly #clock: Clock;
  readonly #alive = new Set<string>();
  /** Open orders whose agents are known, read after their deadline. */
  readonly #learned = new Set<string>();
  readonly #off: () => void;
  /** The look that is under way. */
  #looking: Promise<boolean> | undefined;

  constructor(ks: Killswitch, clock: Clock) {
    this.#ks = ks;
    this.#clock = clock;
    this.#off = ks.on('audit', ({ event }) => {
      if (event.type === 'agent.unconfirmed') this.#add(event.agentId);
      if (event.type === 'agent.killed') this.#alive.delete(event.agentId);
    });
  }

  /** Without a look. */
  get known(): UnconfirmedCount {
    return { count: this.#alive.size, isWhole: false };
  }

  /** Takes `ms` milliseconds at the most. A look that takes longer goes on, and is not begun a second time meanwhile. */
  async count(openOrders: readonly StopOrder[], ms: number): Promise<UnconfirmedCount> {
    const isOld = this.#looking !== undefined;
    this.#looking ??= this.#look(openOrders).finally(() => {
      this.#looking = undefined;
    });
    const hasSeenAll = await inTime(this.#clock, ms, this.#looking);
    const { size } = this.#alive;
    return { count: size, isWhole: hasSeenAll === true && !isOld && size < most };
  }

  stop(): void {
    this.#off();
  }

  /** Whether everybody was looked at. Never rejects. */
  async #look(openOrders: readonly StopOrder[]): Promise<boolean> {
    const now = this.#clock.now();
    const overdue = openOrders.filter(({ deadlineAt }) => deadlineAt <= now).map(({ orderId }) => orderId);
    const open = new Set(overdue);
    for (const orderId of this.#learned) if (!open.has(orderId)) this.#learned.delete(orderId);
    const unknown = overdue.filter((orderId) => !this.#learned.has(orderId));
    const hasLearned = await each(unknown, atOnce.orders, (orderId) => this.#learn(orderId));
    return (await each([...this.#alive], atOnce.agents, (agentId) => this.#lookAt(agentId))) && hasLearned;
  }

  #add(agentId: string): void {
    if (this.#alive.size < most) this.#alive.add(agentId);
  }

  async #learn(orderId: string): Promise<void> {
    const { outcomes } = await this.#ks.report(orderId);
    for (const { agentId, outcome } of outcomes) if (outcome === 'unconfirmed') this.#add(agentId);
    this.#learned.add(orderId);
  }

  async #lookAt(agentId: string): Promise<void> {
    const { status } = await this.#ks.agent(agentId);
    if (status !== 'killing') this.#alive.delete(agentId);
  }
}

/** Does it for some at a time, whatever becomes of each. Whether all went well. */
async function each(
  ids: readonly string[],
  atOnce: number,
  work: (id: string) => Promise<void>,
): Promise<boolean> {
  let isWell = true;
  for (let at = 0; at < ids.length; at += atOnce) {
    const ends = await Promise.allSettled(ids.slice(at, at + atOnce).map(work));
    isWell &&= ends.every(({ status }) => status === 'fulfilled');
  }
  return isWell;
}
