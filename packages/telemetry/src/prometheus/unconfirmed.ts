import type { Killswitch, KillswitchStatus } from '@agent-killswitch/core';

/** No more are known by name: a count of so many means "at least". */
const most = 10_000;
/** So many are asked for at each count: another host may have seen them dead. */
const asked = 100;

/** Who was not observed dead by a deadline, and has not been since, as far as this host knows. */
export class Unconfirmed {
  readonly #ks: Killswitch;
  readonly #alive = new Set<string>();
  /** Whether those were looked for that an earlier life of this process left. */
  #hasLooked = false;
  readonly #off: () => void;

  constructor(ks: Killswitch) {
    this.#ks = ks;
    this.#off = ks.on('audit', ({ event }) => {
      if (event.type === 'agent.unconfirmed') this.#add(event.agentId);
      if (event.type === 'agent.killed') this.#alive.delete(event.agentId);
    });
  }

  async count({ openOrders }: KillswitchStatus): Promise<number> {
    if (!this.#hasLooked) {
      this.#hasLooked = true;
      for (const { orderId } of openOrders) await this.#learn(orderId);
    }
    await Promise.all([...this.#alive].slice(0, asked).map((agentId) => this.#lookAt(agentId)));
    return this.#alive.size;
  }

  stop(): void {
    this.#off();
  }

  #add(agentId: string): void {
    if (this.#alive.size < most) this.#alive.add(agentId);
  }

  async #learn(orderId: string): Promise<void> {
    try {
      const { outcomes } = await this.#ks.report(orderId);
      for (const { agentId, outcome } of outcomes) if (outcome === 'unconfirmed') this.#add(agentId);
    } catch {
      this.#hasLooked = false;
    }
  }

  async #lookAt(agentId: string): Promise<void> {
    const agent = await this.#ks.agent(agentId).catch(() => undefined);
    if (agent !== undefined && agent.status !== 'killing') this.#alive.delete(agentId);
  }
}
