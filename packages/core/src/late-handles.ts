import { type Agent, type Handle, isLive } from './agent.ts';
import type { GuardedEvents } from './events.ts';
import type { StopOrder } from './order.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';
import { callMs, Route } from './route.ts';
import { scopeKey, scopeKeysOf } from './scope.ts';
import { Wake } from './wake.ts';

const pauseMs = { first: 5, longest: 1_000 };

export interface LateHandlesHost {
  readonly clock: Clock;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly events: GuardedEvents;
  /** Called when all that came late for an agent is seen dead. */
  readonly gone: () => void;
}

/**
 * Kills what handles reach that came after their agent's record was closed, or when it had room for no more of them. Nothing
 * is stored: the record is true for what was observed. As long as it is not observed dead, it is named in reports and keeps orders on it open (I1).
 */
export class LateHandles {
  readonly #host: LateHandlesHost;
  readonly #living = new Set<Agent>();
  /** By agent id and handle, with the pause between two tries. */
  readonly #destroying = new Map<string, Wake>();
  #stopped = false;

  constructor(host: LateHandlesHost) {
    this.#host = host;
  }

  /** Resolves when everything that the handles reach is seen dead, or this host shuts down. Never rejects. */
  async destroy(agent: Agent, handles: readonly Handle[]): Promise<void> {
    const fresh = handles.filter((handle) => !this.#destroying.has(keyOf(agent, handle)));
    if (fresh.length === 0) return;
    const late = { ...agent };
    this.#living.add(late);
    let isTold = false;
    const tell = (): void => {
      if (!isTold) this.#host.events.emit('warning', { message: `${tooLate(agent)}: it is being destroyed` });
      isTold = true;
    };
    // Side by side: one that hangs delays no other (I5).
    await Promise.all(fresh.map((handle) => this.#destroyOne(agent, handle, tell)));
    if (this.#stopped) return;
    this.#living.delete(late);
    this.#host.gone();
  }

  /** What is known to live, under an order if it is given, one sentence each. */
  named(order?: StopOrder): string[] {
    const agents = [...this.#living];
    return agents.filter((agent) => order === undefined || isUnder(agent, order)).map(tooLate);
  }

  /** Destroys nothing any more, for a host that shuts down. */
  stop(): void {
    this.#stopped = true;
    for (const pause of this.#destroying.values()) pause.wake();
  }

  async #destroyOne(agent: Agent, handle: Handle, outlives: () => void): Promise<void> {
    const { clock, runtimes } = this.#host;
    const runtime = runtimes.get(handle.runtime);
    if (runtime === undefined) return;
    const route = new Route(agent.agentId, handle, runtime, clock, () => undefined);
    const pause = new Wake(clock);
    this.#destroying.set(keyOf(agent, handle), pause);
    for (let ms = pauseMs.first; !this.#stopped; ms = Math.min(ms * 2, pauseMs.longest)) {
      await route.tell('force', whyDead(agent));
      if (this.#stopped || (await route.look(callMs)).state === 'dead') break;
      outlives();
      await pause.sleep(ms);
    }
    this.#destroying.delete(keyOf(agent, handle));
  }
}

function keyOf({ agentId }: Agent, handle: Handle): string {
  return `${agentId} ${JSON.stringify(handle)}`;
}

/** Not if it was admitted after the order had settled. Of the clocks of two hosts nobody knows which one is ahead. */
function isUnder(agent: Agent, { scope, hostId, settledAt = Infinity }: StopOrder): boolean {
  const cameAfter = agent.hostId === hostId && agent.spawnedAt > settledAt;
  return !cameAfter && scopeKeysOf(agent).includes(scopeKey(scope));
}

function tooLate(agent: Agent): string {
  const { agentId, status } = agent;
  return isLive(agent)
    ? `Agent "${agentId}" has as many handles as it can have, and what one more reaches is not seen dead`
    : `Agent "${agentId}" is on record as ${status}, and a handle of it that came later is not seen dead`;
}

function whyDead(agent: Agent): string {
  return isLive(agent)
    ? 'this agent has as many handles as it can have'
    : 'the end of this agent is on record';
}
