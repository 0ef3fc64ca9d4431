import type { Agent } from './agent.ts';
import type { Change } from './change.ts';
import { type LifecycleEvent, transition } from './lifecycle.ts';
import type { OwnAgents } from './own-agents.ts';
import type { UntoldChanges } from './untold-changes.ts';

/** Changes of this host's own agents in memory, ahead of a store that is down or has not been told of earlier ones (I6). */
export class ChangesAhead {
  readonly #own: OwnAgents;
  readonly #untold: UntoldChanges;
  readonly #announce: (change: Change) => Change;

  constructor(own: OwnAgents, untold: UntoldChanges, announce: (change: Change) => Change) {
    this.#own = own;
    this.#untold = untold;
    this.#announce = announce;
  }

  /** Of an agent as it is known here. @throws InvalidTransitionError */
  change(known: Agent, event: LifecycleEvent): Change {
    const [agent, effects] = transition(known, event);
    const change = { before: known, agent, effects };
    if (agent === known) return change;
    this.#untold.add(agent.agentId, event);
    this.#own.noteUnstored(agent);
    return this.#announce(change);
  }

  /** Of an agent as the store lists it, which is known better here; of one that has ended here, none. */
  changeListed(stored: Agent, event: LifecycleEvent): Change {
    const own = this.#own.get(stored.agentId);
    return own === undefined ? { before: stored, agent: stored, effects: [] } : this.change(own, event);
  }

  /** A handle that the store has taken has to reach the copy here, too, that a claim has put ahead of it meanwhile. */
  catchUp(change: Change, event: LifecycleEvent): Change {
    const before = this.#own.get(change.agent.agentId);
    if (event.type !== 'running' || before === undefined || !this.#untold.has(before.agentId)) return change;
    const [agent, effects] = transition(before, event);
    this.#own.noteUnstored(agent);
    return { before, agent, effects };
  }
}
