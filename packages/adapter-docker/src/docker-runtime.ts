import { setTimeout as sleep } from 'node:timers/promises';
import {
  describeError,
  type Handle,
  type Killswitch,
  type Observation,
  type Runtime,
  type RuntimeContext,
} from '@agent-killswitch/core';
import { type AdoptOptions, adopt } from './adopt.ts';
import type { DockerClient } from './client.ts';
import { Engine } from './engine.ts';
import { engineForce, engineKill, engineKillMs } from './engine-kill.ts';
import { InvalidHandleError } from './errors.ts';
import { type DockerHandle, type Local, parseHandle } from './handle.ts';
import { inspectEngine } from './inspect-engine.ts';
import { killHere } from './kill-here.ts';
import { KnownLocals } from './known-locals.ts';
import { Locality } from './locality.ts';
import { locate } from './locate.ts';
import { lookHere } from './look-here.ts';
import { OnceAtATime } from './once-at-a-time.ts';
import { type DockerRuntimeOptions, parseOptions, type RuntimeSettings } from './options.ts';
import { type Sandbox, sandbox } from './sandbox.ts';
import type { SandboxOptions } from './sandbox-options.ts';
import { withinSignal } from './within-signal.ts';

/** How long a kill waits to see it work, in milliseconds: the core looks right after it, and most are dead by then. */
const settleMs = 150;
/** An engine that has not answered by then is not waited for any longer before `/proc` is searched, in milliseconds. */
const slowMs = 150;

export interface DockerRuntime extends Runtime {
  readonly reach: 'network';
  readonly canForce: true;
  stop(handle: Handle, context: RuntimeContext): Promise<void>;
  locate(agentId: string, context: RuntimeContext): Promise<readonly DockerHandle[]>;

  /**
   * A handle for a container that is there already, with all it takes to kill it without its engine, if it runs on this
   * machine. Its restart policy is part of it, so do not change that later.
   * @throws InvalidHandleError if there is no such container, or one of the engine's named errors.
   */
  adopt(containerId: string, options: AdoptOptions): Promise<DockerHandle>;

  /**
   * Creates and starts a container for an agent that was just admitted, and says so to the killswitch (`running`). Whenever the
   * agent is killed on the way, the container is destroyed, and never starts if it had not.
   * @throws AgentStoppedError, SandboxFailedError, InvalidInputError, or one of the engine's named errors. After any of them
   *   call `failed`: no container is left, or the agent has a handle to it and stays killable until it is seen dead.
   */
  sandbox(
    killswitch: Pick<Killswitch, 'agent' | 'running' | 'on'>,
    options: SandboxOptions,
  ): Promise<Sandbox>;
}

/** @throws InvalidConfigurationError */
export function dockerRuntime(docker: DockerClient, options: DockerRuntimeOptions = {}): DockerRuntime {
  return new Containers(new Engine(docker), parseOptions(docker, options));
}

class Containers implements DockerRuntime {
  readonly reach = 'network';
  readonly canForce = true;
  readonly #engine: Engine;
  readonly #settings: RuntimeSettings;
  readonly #locality: Locality;
  readonly #known: KnownLocals;
  readonly #kills = new OnceAtATime();
  readonly #forces = new OnceAtATime();

  constructor(engine: Engine, settings: RuntimeSettings) {
    this.#engine = engine;
    this.#settings = settings;
    this.#locality = new Locality(settings.cgroup === 'off');
    this.#known = new KnownLocals(this.#locality);
  }

  async stop(handle: Handle, context: RuntimeContext): Promise<void> {
    const { containerId } = this.#parse(handle, context);
    const state = await this.#engine.inspect(containerId, context.signal);
    if (state?.phase === 'living') await this.#engine.kill(containerId, state.stopSignal, context.signal);
  }

  async kill(handle: Handle, context: RuntimeContext): Promise<void> {
    const target = this.#parse(handle, context);
    const { containerId } = target;
    await this.#demand(target, context.signal, () =>
      this.#kills.run(containerId, () =>
        engineKill(
          this.#engine,
          containerId,
          (pid) => this.#killIfHere(target, pid),
          AbortSignal.timeout(engineKillMs),
        ),
      ),
    );
  }

  async force(handle: Handle, context: RuntimeContext): Promise<void> {
    const target = this.#parse(handle, context);
    const { containerId } = target;
    await this.#demand(target, context.signal, () =>
      this.#forces.run(containerId, () =>
        engineForce(this.#engine, containerId, AbortSignal.timeout(engineKillMs)),
      ),
    );
  }

  async inspect(handle: Handle, context: RuntimeContext): Promise<Observation> {
    let target: DockerHandle;
    try {
      target = parseHandle(handle, this.#settings.runtime, context.agentId);
    } catch (error) {
      return { state: 'unknown', evidence: describeError(error) };
    }
    const seen = await this.#look(target, context.signal);
    if (seen.state === 'dead') this.#known.forget(target.containerId);
    return seen;
  }

  locate(agentId: string, { signal }: RuntimeContext): Promise<readonly DockerHandle[]> {
    return locate(agentId, this.#tools(), signal);
  }

  adopt(containerId: string, options: AdoptOptions): Promise<DockerHandle> {
    return adopt(containerId, options, this.#tools());
  }

  sandbox(
    killswitch: Pick<Killswitch, 'agent' | 'running' | 'on'>,
    options: SandboxOptions,
  ): Promise<Sandbox> {
    return sandbox(killswitch, options, this.#tools());
  }

  #tools() {
    return { engine: this.#engine, locality: this.#locality, ...this.#settings };
  }

  #parse(handle: Handle, { agentId }: RuntimeContext): DockerHandle {
    const target = parseHandle(handle, this.#settings.runtime, agentId);
    if (!this.#locality.isOwn(target.containerId)) return target;
    throw new InvalidHandleError('This very process lives in that container: end it from outside');
  }

  /** By the cgroup at once and by the engine in parallel. Either is enough to resolve, unless it would be started again. */
  async #demand(target: DockerHandle, signal: AbortSignal, byEngine: () => Promise<void>): Promise<void> {
    signal.throwIfAborted();
    const local = this.#known.of(target);
    let fault: unknown;
    try {
      if (local !== undefined) killHere(target.containerId, local, this.#locality.mounts);
    } catch (error) {
      fault = error;
    }
    // A tick later: of many killed at once, every cgroup comes before the first request.
    const engine = Promise.resolve().then(byEngine);
    engine.catch(() => {});
    const isDoneHere =
      local === undefined ? this.#killWhenSlow(target, engine) : this.#isEmptySoon(target, local, signal);
    if ((await isDoneHere) && fault === undefined && !target.restarts) return;
    await withinSignal(engine, signal);
    if (fault !== undefined) throw fault;
  }

  #killIfHere(target: DockerHandle, pid: number): void {
    if (this.#known.of(target) !== undefined) return;
    const local = this.#known.learn(target.containerId, pid);
    if (local !== undefined) killHere(target.containerId, local, this.#locality.mounts);
  }

  /** Of a handle that does not say where the container is, while its engine hangs. Whether it was found here and killed. */
  async #killWhenSlow(target: DockerHandle, engine: Promise<void>): Promise<boolean> {
    const isQuick = await Promise.race([
      engine.then(
        () => true,
        () => false,
      ),
      sleep(slowMs, false, { ref: false }),
    ]);
    const local = isQuick ? undefined : (this.#known.of(target) ?? this.#known.search(target.containerId));
    if (local === undefined) return false;
    killHere(target.containerId, local, this.#locality.mounts);
    return true;
  }

  async #isEmptySoon({ containerId }: DockerHandle, local: Local, signal: AbortSignal): Promise<boolean> {
    const until = performance.now() + settleMs;
    for (let pause = 2; ; pause = Math.min(pause * 2, 10)) {
      if (lookHere(containerId, local, this.#locality.mounts).state === 'dead') return true;
      if (signal.aborted || performance.now() > until) return false;
      await sleep(pause);
    }
  }

  /** First here, where nobody has to answer. */
  async #look(target: DockerHandle, signal: AbortSignal): Promise<Observation> {
    const { mounts } = this.#locality;
    const local = this.#known.of(target);
    const here = local && lookHere(target.containerId, local, mounts);
    if (here?.state === 'alive' || (here?.state === 'dead' && !target.restarts)) return here;
    const learn = (pid: number) => void (local ?? this.#known.learn(target.containerId, pid));
    const there = inspectEngine(this.#engine, target, learn, signal);
    if (here?.state === 'dead') return ofRestarting(here, await there);
    const quick = await Promise.race([there, sleep(slowMs, undefined, { ref: false })]);
    if (quick !== undefined && quick.state !== 'unknown') return quick;
    const found = local === undefined ? this.#known.search(target.containerId) : undefined;
    return found === undefined ? there : lookHere(target.containerId, found, mounts);
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
