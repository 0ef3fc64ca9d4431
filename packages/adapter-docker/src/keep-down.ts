import { setTimeout as sleep } from 'node:timers/promises';
import type { CgroupMounts } from './cgroup-mounts.ts';
import type { Engine } from './engine.ts';
import { engineKeepDown, engineKillMs } from './engine-kill.ts';
import type { DockerHandle, Local } from './handle.ts';
import { killRest } from './kill-here.ts';
import type { KnownLocals } from './known-locals.ts';
import { lookHere } from './look-here.ts';

/** Looks here, in milliseconds: an engine that has just lost many containers has enough to do at first. */
const lookMs = { first: 500, least: 250, most: 2_000 };
/** Questions to the engine, in milliseconds: after the kill, while it does not answer, and while it says that it is down. */
const askMs = { first: 1_000, most: 30_000, down: 5_000 };
/** For so long its engine has to say that it is down, without a break, in milliseconds. */
const downMs = 10_000;
/** More are not watched at a time; the oldest gives way (I12). */
const most = 10_000;

interface Watch {
  readonly target: DockerHandle;
  readonly begun: number;
  local: Local | undefined;
  askAt: number;
  isAsking: boolean;
  /** Since when its engine says so, by `performance.now()`. */
  downSince: number | undefined;
}

/**
 * Keeps killed containers down. A `docker restart` that was under way at the kill starts its container again when that has died, and
 * shows nowhere before; so may an engine that hung, when it goes on, or a policy that was set since the handle was made. What is seen up
 * again is killed again. Over when the engine has said for ten seconds that it is down, or that it has none.
 */
export class KeepDown {
  readonly #engine: Engine;
  readonly #mounts: CgroupMounts;
  readonly #known: KnownLocals;
  readonly #watches = new Map<string, Watch>();

  constructor(engine: Engine, mounts: CgroupMounts, known: KnownLocals) {
    this.#engine = engine;
    this.#mounts = mounts;
    this.#known = known;
  }

  /** From its kill on. Nobody waits for it, and it holds no process open. */
  begin(target: DockerHandle): void {
    const { containerId } = target;
    const watch = this.#watches.get(containerId);
    if (watch !== undefined) {
      watch.downSince = undefined;
      watch.local ??= this.#known.of(target);
      return;
    }
    const begun = performance.now();
    const local = this.#known.of(target);
    const started = {
      target,
      begun,
      local,
      askAt: begun + askMs.first,
      isAsking: false,
      downSince: undefined,
    };
    this.#watches.set(containerId, started);
    const [oldest] = this.#watches.keys();
    if (this.#watches.size > most && oldest !== undefined) this.#watches.delete(oldest);
    void this.#run(started);
  }

  /** Somebody has it for another agent now. */
  end(containerId: string, agentId: string): void {
    if (this.#watches.get(containerId)?.target.agentId !== agentId) this.#watches.delete(containerId);
  }

  async #run(watch: Watch): Promise<void> {
    let pause = lookMs.first;
    while (true) {
      await sleep(pause, undefined, { ref: false });
      if (!this.#isOn(watch)) return;
      this.#look(watch);
      const now = performance.now();
      if (!watch.isAsking && now >= watch.askAt) void this.#ask(watch);
      pause = between(lookMs.least, (now - watch.begun) / 4, lookMs.most);
    }
  }

  #look(watch: Watch): void {
    const { target } = watch;
    watch.local ??= this.#known.of(target);
    if (watch.local === undefined) return;
    try {
      if (lookHere(target.containerId, watch.local, this.#mounts).state !== 'alive') return;
      watch.downSince = undefined;
      killRest(target.containerId, watch.local, this.#mounts);
    } catch {
      // Its engine may be able to.
    }
  }

  async #ask(watch: Watch): Promise<void> {
    const { target } = watch;
    const learn = (pid: number): void => {
      if (!this.#isOn(watch)) return;
      watch.local = this.#known.learn(target, pid) ?? watch.local;
      this.#look(watch);
    };
    watch.isAsking = true;
    const said = await engineKeepDown(
      this.#engine,
      target,
      () => this.#isOn(watch),
      learn,
      AbortSignal.timeout(engineKillMs),
    ).catch(() => undefined);
    watch.isAsking = false;
    const now = performance.now();
    watch.downSince = said === 'down' ? (watch.downSince ?? now) : undefined;
    const isOver = said === 'gone' || (watch.downSince !== undefined && now - watch.downSince >= downMs);
    if (isOver && this.#isOn(watch)) this.#watches.delete(target.containerId);
    const ms = said === undefined ? now - watch.begun : said === 'down' ? askMs.down : 0;
    watch.askAt = now + between(askMs.first, ms, askMs.most);
  }

  #isOn(watch: Watch): boolean {
    return this.#watches.get(watch.target.containerId) === watch;
  }
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
