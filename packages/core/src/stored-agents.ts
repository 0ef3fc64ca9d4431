import type { Agent } from './agent.ts';
import { attempt, type Change } from './change.ts';
import { StateUnavailableError, UnknownTargetError } from './errors.ts';
import { type LifecycleEvent, transition } from './lifecycle.ts';
import { asVerdicts } from './store-answers.ts';
import type { StoreCalls } from './store-calls.ts';

const maxRaces = 100;
const mostSwaps = 1_000;

interface Swap {
  readonly agent: Agent;
  readonly resolve: (won: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Changes of agents in the state store. Those that are asked for one by one go many at a time. */
export class StoredAgents {
  readonly #calls: StoreCalls;
  readonly #swaps: Swap[] = [];
  #isSwapping = false;

  constructor(calls: StoreCalls) {
    this.#calls = calls;
  }

  /**
   * Applies an event to a copy of an agent, or to what is stored if there is none; and to what is stored by then, as often
   * as somebody else was first.
   * @throws InvalidTransitionError, UnknownTargetError, StateUnavailableError
   */
  async change(copy: Agent | undefined, agentId: string, event: LifecycleEvent): Promise<Change> {
    let before = copy;
    let fresh = false;
    for (let race = 0; race < maxRaces; race++) {
      if (before === undefined) {
        before = await this.#calls.ask('reading an agent', (store) => store.getAgent(agentId));
        fresh = true;
      }
      if (before === undefined) throw new UnknownTargetError('agent', agentId);
      const change = attempt(before, event);
      if (change !== undefined && change.agent !== before) {
        if (await this.#swap(change.agent)) return change;
      } else if (fresh) {
        if (change === undefined) transition(before, event);
        return { before, agent: before, effects: change?.effects ?? [] };
      }
      before = undefined;
    }
    throw new StateUnavailableError(`Agent "${agentId}" changes too often to be changed`);
  }

  /** Stores agents over the revisions before theirs; which of them, in their order. @throws StateUnavailableError */
  swapAll(agents: readonly Agent[]): Promise<readonly boolean[]> {
    return this.#calls.ask(
      'storing agents',
      (store) => store.swapAgents(agents),
      (answer) => asVerdicts(answer, agents.length),
    );
  }

  /** Those that come while a call is under way make up the next one. */
  #swap(agent: Agent): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#swaps.push({ agent, resolve, reject });
      if (!this.#isSwapping) void this.#runSwaps();
    });
  }

  async #runSwaps(): Promise<void> {
    this.#isSwapping = true;
    // Whatever asks in this same turn goes along.
    await undefined;
    while (this.#swaps.length > 0) {
      const batch = this.#swaps.splice(0, mostSwaps);
      try {
        const won = await this.swapAll(batch.map(({ agent }) => agent));
        batch.forEach(({ resolve }, i) => {
          resolve(won[i] === true);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isSwapping = false;
  }
}
