import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, type Observation } from '@agent-killswitch/core';
import type { CgroupMounts } from './cgroup-mounts.ts';
import type { Engine } from './engine.ts';
import type { DockerHandle } from './handle.ts';
import { inspectEngine } from './inspect-engine.ts';
import { type Killer, slowMs } from './killer.ts';
import type { KnownLocals } from './known-locals.ts';
import { lookHere } from './look-here.ts';

/**
 * Says whether a container lives. First by what can be seen here, where nobody has to answer; then by its engine's word, which
 * for a death counts only if nothing of the container is seen here (I3).
 */
export class Observer {
  readonly #engine: Engine;
  readonly #mounts: CgroupMounts;
  readonly #known: KnownLocals;
  readonly #killer: Killer;

  constructor(engine: Engine, mounts: CgroupMounts, known: KnownLocals, killer: Killer) {
    this.#engine = engine;
    this.#mounts = mounts;
    this.#known = known;
    this.#killer = killer;
  }

  /** Never rejects. */
  async look(target: DockerHandle, signal: AbortSignal): Promise<Observation> {
    const seen = await this.#look(target, signal);
    if (seen.state === 'dead') this.#known.forget(target.containerId);
    return seen;
  }

  async #look(target: DockerHandle, signal: AbortSignal): Promise<Observation> {
    const death = this.#killer.hasJustSeen(target.containerId);
    if (death !== undefined) return { state: 'dead', evidence: death };
    const local = this.#known.of(target);
    const here = local && lookHere(target.containerId, local, this.#mounts);
    if (here?.state === 'alive' || (here?.state === 'dead' && !target.restarts)) return here;
    const there = this.#ask(target, signal);
    if (here?.state === 'dead') return ofRestarting(here, await there);
    const quick = await Promise.race([there, sleep(slowMs, undefined, { ref: false })]);
    if (quick !== undefined && quick.state !== 'unknown') return quick;
    return (await this.#search(target)) ?? there;
  }

  /** Its engine's word, held against what is to be seen here. */
  async #ask(target: DockerHandle, signal: AbortSignal): Promise<Observation> {
    const learn = (pid: number): void => {
      if (!this.#known.isInHandle(target)) this.#known.learn(target, pid);
    };
    const said = await inspectEngine(this.#engine, target, learn, signal);
    if (said.state !== 'dead') return said;
    return (await this.#search(target, said.evidence)) ?? said;
  }

  /** What is seen of it here; `undefined` if that is nothing, unless somebody `said` that it is dead. */
  async #search(target: DockerHandle, said?: string): Promise<Observation | undefined> {
    try {
      const seen = await this.#known.search(target);
      if (seen?.local !== undefined) return lookHere(target.containerId, seen.local, this.#mounts);
      if (seen !== undefined && seen.pids.length > 0) {
        const pids = seen.pids.slice(0, 5).join(', ');
        const why = seen.doubt ?? 'where its cgroup cannot be reached';
        return { state: 'alive', evidence: `pid ${pids} alive here, ${why}` };
      }
      if (said === undefined) return undefined;
      const how = seen === undefined ? 'by its word alone' : 'and nothing of it is seen here';
      return { state: 'dead', evidence: `${said}, ${how}` };
    } catch (error) {
      if (said === undefined) return undefined;
      return { state: 'unknown', evidence: `${said}, but /proc cannot be searched: ${describeError(error)}` };
    }
  }
}

/** Of a container that its engine would start again: dead only when the engine says so too. */
function ofRestarting(here: Observation, there: Observation): Observation {
  if (there.state === 'alive') return there;
  const evidence = `${here.evidence}; ${there.evidence}`;
  return there.state === 'dead'
    ? { state: 'dead', evidence }
    : { state: 'unknown', evidence: `${evidence}: its restart policy could bring it back` };
}
