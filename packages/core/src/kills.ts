import { type Agent, isLive, type KilledAgent, type KillingAgent } from './agent.ts';
import type { Book } from './book.ts';
import type { Change } from './change.ts';
import type { Cleanup } from './cleanup.ts';
import type { StopStep } from './events.ts';
import type { Pursuit } from './pursuit.ts';
import { type Felled, isEasy, type VolleyHost, volley } from './volley.ts';

export interface KillsHost extends VolleyHost {
  readonly book: Book;
  readonly cleanup: Cleanup;
  readonly orderId: string;
  /** From when on agents are killed rather than asked. */
  readonly killAt: () => number;
  /** Starts or joins the pursuit of a claimed agent on this host. */
  readonly pursue: (agent: Agent) => Pursuit;
  readonly step: (step: StopStep, agentId: string) => void;
  /** The death of an agent that a volley has felled is stored. */
  readonly felled: (agent: KilledAgent) => void;
  /** Nobody is left to kill here, for the moment. */
  readonly idle: () => void;
}

/** The kills of one stop order on this host: volleys, pursuits, and the cleanup after them. */
export class Kills {
  readonly #host: KillsHost;
  readonly #pursuits = new Map<string, Pursuit>();
  /** Agents that a volley is under way for. */
  readonly #targeted = new Map<string, KillingAgent>();
  /** Agents that volleys have felled. */
  readonly #felled = new Map<string, KilledAgent>();
  /** Ids of those felled since the last look through the scope was over: until then a listing may be older than their death. */
  readonly #justFelled = new Set<string>();
  readonly #cleaning = new Map<string, Promise<Agent>>();
  #living = 0;
  #cleaned = 0;
  #waitsForOthers = false;

  constructor(host: KillsHost) {
    this.#host = host;
  }

  /** Some agent had no route from here: it dies by another host, or gets its handle from one. */
  get waitsForOthers(): boolean {
    return this.#waitsForOthers;
  }

  /** Every agent dealt with here, as it is known here: the claims of some may be in memory alone, and listed nowhere else (I1). */
  agents(): Map<string, Agent> {
    const agents = new Map<string, Agent>(this.#targeted);
    for (const [agentId, agent] of this.#felled) agents.set(agentId, agent);
    for (const [agentId, pursuit] of this.#pursuits) agents.set(agentId, pursuit.agent);
    return agents;
  }

  /** A deadline may have come nearer. */
  hasten(): void {
    for (const pursuit of this.#pursuits.values()) pursuit.hasten();
  }

  /** Waits for the cleanups that were begun. Whether there were any since it was asked last. */
  async wereCleaning(): Promise<boolean> {
    if (this.#cleaning.size === 0) return false;
    const cleaning = [...this.#cleaning.values()];
    await Promise.all(cleaning);
    const wereSome = this.#cleaned < cleaning.length;
    this.#cleaned = cleaning.length;
    return wereSome;
  }

  /** Those that were claimed just now and are easy to reach are told to die all at once; the others one by one. */
  take(changes: readonly Change[]): void {
    const isKill = this.#host.clock.now() >= this.#host.killAt();
    const easy: KillingAgent[] = [];
    for (const { before, agent } of changes) {
      if (agent !== before) this.#host.step('claimed', agent.agentId);
      if (agent.status !== 'killing' || this.#justFelled.has(agent.agentId)) continue;
      if (isKill && this.#isNew(before, agent) && isEasy(agent, this.#host)) easy.push(agent);
      else if (!this.#targeted.has(agent.agentId)) this.#pursue(agent);
    }
    if (easy.length > 0) void this.#volley(easy);
  }

  /** Claimed just now: here, or under this very order by another host that was quicker. */
  #isNew(before: Agent, { agentId, kill }: KillingAgent): boolean {
    if (this.#pursuits.has(agentId)) return false;
    if (before.status !== 'killing') return true;
    const wasMet = this.#targeted.has(agentId) || this.#felled.has(agentId);
    return !wasMet && kill.orderIds[0] === this.#host.orderId;
  }

  async #volley(agents: readonly KillingAgent[]): Promise<void> {
    for (const agent of agents) {
      this.#targeted.set(agent.agentId, agent);
      this.#host.step('signalled', agent.agentId);
    }
    this.#living += agents.length;
    const signalledAt = this.#host.clock.now();
    const stored: Array<Promise<void>> = [];
    const rest = await volley(agents, this.#host, (felled) => stored.push(this.#confirm(felled)));
    await Promise.all(stored);
    for (const { agentId } of agents) this.#targeted.delete(agentId);
    for (const agent of rest) this.#pursue(agent, signalledAt);
    this.#living -= agents.length;
    if (this.#living === 0) this.#host.idle();
  }

  /** Stores the death of agents that were seen dead. Never rejects: whoever cannot be stored is pursued. */
  async #confirm(felled: readonly Felled[]): Promise<void> {
    const wanted = felled.map(({ agent, signalledAt, seenDeadAt, evidence }) => {
      const event = {
        type: 'confirmed',
        at: seenDeadAt,
        progress: { signalledAt, errors: [] },
        evidence,
        handles: 1,
      } as const;
      return { agent, event };
    });
    try {
      for (const { before, agent } of await this.#host.book.changeAll(wanted)) {
        if (agent.status !== 'killed') this.#pursue(agent);
        else if (agent !== before) this.#took(agent);
        // Another host saw it first; what only this one can clean up is its to do.
        else this.cleanUp(agent);
      }
    } catch {
      for (const { agent } of felled) this.#pursue(agent);
    }
  }

  #took(agent: KilledAgent): void {
    this.#felled.set(agent.agentId, agent);
    this.#justFelled.add(agent.agentId);
    this.#host.felled(agent);
    this.#host.step('confirmed', agent.agentId);
    this.cleanUp(agent);
  }

  /** `signalledAt`: when a volley told it to die. */
  #pursue(agent: Agent, signalledAt?: number): void {
    if (agent.status !== 'killing') return;
    const known = this.#pursuits.get(agent.agentId);
    // An end that the store was told of and does not hold has to be seen again.
    const wasLost = known !== undefined && !isLive(known.agent) && this.#host.book.isTold(agent.agentId);
    if (known !== undefined && !wasLost) {
      known.refresh(agent);
      return;
    }
    const pursuit = this.#host.pursue(agent);
    if (signalledAt !== undefined) pursuit.wasSignalled(signalledAt);
    if (!pursuit.hasRoute) this.#waitsForOthers = true;
    this.#pursuits.set(agent.agentId, pursuit);
    this.#living += 1;
    void pursuit.done.then((ended) => {
      this.#living -= 1;
      if (ended.status === 'killed') this.cleanUp(ended);
      if (this.#living === 0) this.#host.idle();
    });
  }

  /** Agents that another host may have finished: they are not listed as live any more. How many still seem to live. */
  refreshUnseen(seen: ReadonlySet<string>): Promise<number> | number {
    this.#justFelled.clear();
    return this.#pursuits.size === 0 ? this.#targeted.size : this.#refreshPursuits(seen);
  }

  async #refreshPursuits(seen: ReadonlySet<string>): Promise<number> {
    let living = 0;
    for (const [agentId, pursuit] of this.#pursuits) {
      if (seen.has(agentId) || !isLive(pursuit.agent)) continue;
      const agent = await this.#host.book.find(agentId);
      if (agent !== undefined) pursuit.refresh(agent);
      if (isLive(pursuit.agent)) living += 1;
    }
    // A volley hands the rest of its agents on to pursuits.
    return living + this.#targeted.size;
  }

  cleanUp(agent: Agent): void {
    if (this.#cleaning.has(agent.agentId) || !this.#host.cleanup.isDue(agent)) return;
    const cleaned = this.#host.cleanup.run(agent);
    this.#cleaning.set(agent.agentId, cleaned);
    void cleaned.then(() => this.#host.step('cleaned', agent.agentId));
  }
}
