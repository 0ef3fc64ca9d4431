import { setTimeout as sleep } from 'node:timers/promises';
import { withinSignal } from '@agent-killswitch/core';
import { Blows } from './blows.ts';
import type { CgroupMounts } from './cgroup-mounts.ts';
import type { Engine } from './engine.ts';
import { engineForce, engineKill, engineKillMs } from './engine-kill.ts';
import { finishHere } from './finish-here.ts';
import type { DockerHandle } from './handle.ts';
import type { KeepDown } from './keep-down.ts';
import { killRest } from './kill-here.ts';
import type { KnownLocals } from './known-locals.ts';
import { OnceAtATime } from './once-at-a-time.ts';

/** An engine that has not answered by then is not waited for any longer before `/proc` is searched, in milliseconds. */
export const slowMs = 150;
/** What lives for so long after its cgroup was killed, its engine is asked to kill too, in milliseconds. */
const settleMs = 400;
/** How long a death that a kill has seen answers for the look right after it, in milliseconds. */
const justMs = 250;

/** Ends containers: here through their cgroups, and through their engine. */
export class Killer {
  readonly #engine: Engine;
  readonly #mounts: CgroupMounts;
  readonly #known: KnownLocals;
  readonly #keepDown: KeepDown;
  readonly #blows: Blows;
  readonly #kills = new OnceAtATime();
  readonly #forces = new OnceAtATime();
  readonly #justSeen = new Map<string, { readonly evidence: string; readonly at: number }>();

  constructor(engine: Engine, mounts: CgroupMounts, known: KnownLocals, keepDown: KeepDown) {
    this.#engine = engine;
    this.#mounts = mounts;
    this.#known = known;
    this.#blows = new Blows(mounts);
    this.#keepDown = keepDown;
  }

  /** @throws LocalKillError, one of the engine's named errors, or the signal's reason */
  kill(target: DockerHandle, signal: AbortSignal): Promise<void> {
    const { containerId } = target;
    const learn = (pid: number): void => this.#killIfHere(target, pid);
    return this.#demand(target, signal, () =>
      this.#kills.run(containerId, () =>
        engineKill(this.#engine, containerId, learn, AbortSignal.timeout(engineKillMs)),
      ),
    );
  }

  /** @throws LocalKillError, one of the engine's named errors, or the signal's reason */
  force(target: DockerHandle, signal: AbortSignal): Promise<void> {
    const { containerId } = target;
    return this.#demand(target, signal, () =>
      this.#forces.run(containerId, () =>
        engineForce(this.#engine, containerId, AbortSignal.timeout(engineKillMs)),
      ),
    );
  }

  /** The evidence of a death that a kill has seen a moment ago. */
  hasJustSeen(containerId: string): string | undefined {
    const seen = this.#justSeen.get(containerId);
    return seen !== undefined && performance.now() - seen.at < justMs ? seen.evidence : undefined;
  }

  /**
   * By the cgroup at once. In parallel by the engine, if it would start the container again, or nothing can be done here. Else the
   * engine is only asked to keep it down, when nothing lives in it any more: fifty containers that an engine kills at the same time
   * as the kernel does delay each other's death.
   */
  async #demand(target: DockerHandle, signal: AbortSignal, byEngine: () => Promise<void>): Promise<void> {
    signal.throwIfAborted();
    this.#keepDown.begin(target);
    const mounts = this.#mounts;
    const local = this.#known.of(target);
    if (local === undefined) return this.#demandUnseen(target, signal, byEngine);
    const { isStruck, watched } = await this.#blows.strike(local);
    const faults: unknown[] = [];
    const watch = finishHere(target.containerId, local, mounts, watched, faults, signal);
    // Of many killed at once, every cgroup was struck before the first request.
    const begun = isStruck && !target.restarts ? undefined : byEngine();
    const told = begun?.then(() => undefined) ?? unlessDead(watch, byEngine);
    // One that would come back is not over when it is dead.
    const over = target.restarts ? told : Promise.race([watch.then((death) => death ?? told), told]);
    const death = await withinSignal(over, signal);
    if (death !== undefined) return this.#isOver(target.containerId, death);
    if (faults.length > 0) throw faults[0];
  }

  /** Of a handle that does not say where the container is. */
  async #demandUnseen(
    target: DockerHandle,
    signal: AbortSignal,
    byEngine: () => Promise<void>,
  ): Promise<void> {
    const begun = byEngine();
    begun.catch(() => {});
    const death = await this.#findAndKill(target, begun);
    if (death !== undefined && !target.restarts) this.#isOver(target.containerId, death);
    else await withinSignal(begun, signal);
  }

  /** It was seen dead a moment ago: that is what the look right after a kill is told. */
  #isOver(containerId: string, evidence: string): void {
    this.#justSeen.set(containerId, { evidence, at: performance.now() });
    setTimeout(() => this.#justSeen.delete(containerId), justMs).unref();
  }

  #killIfHere(target: DockerHandle, pid: number): void {
    if (this.#known.isInHandle(target)) return;
    const local = this.#known.learn(target, pid);
    if (local !== undefined) killRest(target.containerId, local, this.#mounts);
  }

  /**
   * Found by the pid that its engine names, or, when that hangs or says that there is nothing to kill, by a look through `/proc`.
   * Answers the evidence of its death, if that was seen.
   */
  async #findAndKill(target: DockerHandle, engine: Promise<void>): Promise<string | undefined> {
    const { containerId } = target;
    await Promise.race([engine.catch(() => {}), sleep(slowMs, undefined, { ref: false })]);
    const local = this.#known.of(target) ?? (await this.#known.search(target))?.local;
    if (local === undefined) return undefined;
    killRest(containerId, local, this.#mounts);
    return finishHere(containerId, local, this.#mounts, undefined, [], AbortSignal.timeout(slowMs));
  }
}

/** Asks the engine only when the kernel has had its time: what it answers is waited for no longer than for a death. */
async function unlessDead(
  watch: Promise<string | undefined>,
  byEngine: () => Promise<void>,
): Promise<string | undefined> {
  const death = await Promise.race([watch, sleep(settleMs, undefined, { ref: false })]);
  if (death === undefined) await byEngine();
  return death;
}
