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
import { InvalidHandleError } from './errors.ts';
import { type DockerHandle, parseHandle } from './handle.ts';
import { KeepDown } from './keep-down.ts';
import { Killer } from './killer.ts';
import { KnownLocals } from './known-locals.ts';
import { Locality } from './locality.ts';
import { locate } from './locate.ts';
import { Observer } from './observer.ts';
import { type DockerRuntimeOptions, parseOptions, type RuntimeSettings } from './options.ts';
import { type Sandbox, sandbox } from './sandbox.ts';
import type { SandboxOptions } from './sandbox-options.ts';

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
  readonly #keepDown: KeepDown;
  readonly #killer: Killer;
  readonly #observer: Observer;

  constructor(engine: Engine, settings: RuntimeSettings) {
    this.#engine = engine;
    this.#settings = settings;
    this.#locality = new Locality(settings.cgroup === 'off');
    const known = new KnownLocals(this.#locality);
    this.#keepDown = new KeepDown(engine, this.#locality.mounts, known);
    this.#killer = new Killer(engine, this.#locality.mounts, known, this.#keepDown);
    this.#observer = new Observer(engine, this.#locality.mounts, known, this.#killer);
  }

  async stop(handle: Handle, context: RuntimeContext): Promise<void> {
    const { containerId } = this.#parse(handle, context);
    const state = await this.#engine.inspect(containerId, context.signal);
    if (state?.phase === 'living') await this.#engine.kill(containerId, state.stopSignal, context.signal);
  }

  async kill(handle: Handle, context: RuntimeContext): Promise<void> {
    await this.#killer.kill(this.#parse(handle, context), context.signal);
  }

  async force(handle: Handle, context: RuntimeContext): Promise<void> {
    await this.#killer.force(this.#parse(handle, context), context.signal);
  }

  async inspect(handle: Handle, context: RuntimeContext): Promise<Observation> {
    let target: DockerHandle;
    try {
      target = parseHandle(handle, this.#settings.runtime, context.agentId);
    } catch (error) {
      return { state: 'unknown', evidence: describeError(error) };
    }
    return this.#observer.look(target, context.signal);
  }

  locate(agentId: string, { signal }: RuntimeContext): Promise<readonly DockerHandle[]> {
    return locate(agentId, this.#tools(), signal);
  }

  async adopt(containerId: string, options: AdoptOptions): Promise<DockerHandle> {
    const handle = await adopt(containerId, options, this.#tools());
    this.#keepDown.end(containerId, handle.agentId);
    return handle;
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
}
