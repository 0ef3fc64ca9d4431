import { withinSignal } from '@agent-killswitch/core';
import { z } from 'zod';
import type { DockerClient } from './client.ts';
import { containerIdSchema, shortId } from './container-id.ts';
import { type ContainerState, parseState } from './container-state.ts';
import { engineError, isNoSuchContainer, statusOf } from './engine-error.ts';
import { EngineAnswerError, EngineSilentError } from './errors.ts';
import { SharedRun } from './shared-run.ts';

/** A call that takes longer is given up, in milliseconds. The core's own deadlines are shorter and come first. */
const defaultMs = 5_000;
const infoSchema = z.object({
  ID: z.string().min(1).max(200),
  Name: z.string().max(300),
  DockerRootDir: z.string().max(4_096),
  SystemTime: z.string().optional(),
  /** Podman's, whose `ID` is another one in every answer. */
  BuildahVersion: z.string().optional(),
});
const listSchema = z.array(
  z.object({
    Id: containerIdSchema,
    Created: z.number().int(),
    State: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);

export interface EngineInfo {
  /**
   * Different for every engine, the same as long as its data folder lives. The id that an engine gives itself is not enough:
   * engines before version 23 take it from a file that all on one machine share, and copies of a machine have it too.
   */
  readonly engineId: string;
  /** The engine's clock, in milliseconds since the Unix epoch; `undefined` if it does not say. */
  readonly now: number | undefined;
}

export interface ListedContainer {
  readonly containerId: string;
  /** By the engine's clock, in milliseconds since the Unix epoch; whole seconds. */
  readonly createdAt: number;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * One Docker engine. Every call has a deadline, stops waiting when its signal aborts, and fails with an error by name.
 *
 * An engine looks up whatever it is given as an id first, then as a name. So a container that was given a removed one's id as
 * its name would be hit in its place: ask {@link Engine.inspect} whether the id is there before anything is done to it.
 */
export class Engine {
  readonly #client: DockerClient;
  readonly #info: SharedRun<unknown>;

  constructor(client: DockerClient) {
    this.#client = client;
    this.#info = new SharedRun(() => {
      const abortSignal = AbortSignal.timeout(defaultMs);
      return withinSignal(client.info({ abortSignal }), abortSignal);
    });
  }

  /** Who the engine is now; asked after this call began, since another one may answer at the same address. */
  async info(signal: AbortSignal): Promise<EngineInfo> {
    const what = 'say who it is';
    const { ID, Name, DockerRootDir, SystemTime, BuildahVersion } = await this.#parsed(
      what,
      infoSchema,
      () => this.#info.next(),
      signal,
    );
    const now = Date.parse(SystemTime ?? '');
    const own = BuildahVersion === undefined ? ID : 'podman';
    return { engineId: [own, Name, DockerRootDir].join(' '), now: Number.isNaN(now) ? undefined : now };
  }

  /** The container with exactly this id; `undefined` if the engine says that it has none. */
  async inspect(containerId: string, signal: AbortSignal, ms?: number): Promise<ContainerState | undefined> {
    const what = `inspect container ${shortId(containerId)}`;
    try {
      const answer = await this.#ask(
        what,
        (abortSignal) => this.#container(containerId).inspect({ abortSignal }),
        signal,
        ms,
      );
      const state = parsed(what, () => parseState(answer));
      if (state.containerId === containerId) return state;
      // It has none with this id, but one with this name.
      if (state.name === containerId) return undefined;
      throw new EngineAnswerError(
        `The engine's answer to ${what} is about container ${shortId(state.containerId)}`,
      );
    } catch (error) {
      if (isGone(error, containerId)) return undefined;
      throw error;
    }
  }

  /** Sends a signal. That it is not there or does not run is no error. */
  async kill(containerId: string, name: string, signal: AbortSignal): Promise<void> {
    const call = (abortSignal: AbortSignal) =>
      this.#container(containerId).kill({ signal: name, abortSignal });
    const fine = (error: unknown) => isGone(error, containerId) || isStatus(error, 409);
    await this.#unless(fine, `kill container ${shortId(containerId)}`, call, signal);
  }

  /** Asks it to end and kills it after `seconds`. That it is not there or does not run is no error. */
  async stop(containerId: string, seconds: number, signal: AbortSignal): Promise<void> {
    const call = (abortSignal: AbortSignal) => this.#container(containerId).stop({ t: seconds, abortSignal });
    const what = `stop container ${shortId(containerId)}`;
    const fine = (error: unknown) => isGone(error, containerId) || isStatus(error, 304);
    await this.#unless(fine, what, call, signal, seconds * 1_000 + defaultMs);
  }

  /** Removes it with its anonymous volumes; `force` kills it first. That it is gone or going is no error. */
  async remove(containerId: string, force: boolean, signal: AbortSignal): Promise<void> {
    const options = { force, v: true };
    const call = (abortSignal: AbortSignal) =>
      this.#container(containerId).remove({ ...options, abortSignal });
    const what = `remove container ${shortId(containerId)}`;
    const isGoing = (error: unknown) => isStatus(error, 409) && /already in progress/i.test(String(error));
    const fine = (error: unknown) => isGone(error, containerId) || isGoing(error);
    await this.#unless(fine, what, call, signal);
  }

  /** Keeps it from being started again when it ends. */
  async liftRestartPolicy(containerId: string, signal: AbortSignal): Promise<void> {
    const call = (abortSignal: AbortSignal) =>
      this.#container(containerId).update({ RestartPolicy: { Name: 'no' }, abortSignal });
    const fine = (error: unknown) => isGone(error, containerId);
    await this.#unless(fine, `update container ${shortId(containerId)}`, call, signal);
  }

  async create(options: object, signal: AbortSignal): Promise<string> {
    const what = 'create a container';
    // The client writes everything that is not told apart into the URL too, secrets in the environment included.
    const request = { _query: {}, _body: options };
    const call = (abortSignal: AbortSignal) => this.#client.createContainer({ ...request, abortSignal });
    const { id } = await this.#parsed(what, z.object({ id: containerIdSchema }), call, signal);
    return id;
  }

  async start(containerId: string, signal: AbortSignal): Promise<void> {
    const call = (abortSignal: AbortSignal) => this.#container(containerId).start({ abortSignal });
    const fine = (error: unknown) => isStatus(error, 304);
    await this.#unless(fine, `start container ${shortId(containerId)}`, call, signal, 30_000);
  }

  /** Every container, in any state, that carries all these labels (`name=value`). */
  async list(labels: readonly string[], signal: AbortSignal): Promise<readonly ListedContainer[]> {
    const options = { all: true, filters: { label: [...labels] } };
    const call = (abortSignal: AbortSignal) => this.#client.listContainers({ ...options, abortSignal });
    const listed = await this.#parsed('list containers', listSchema, call, signal);
    return listed.map(({ Id, Created, State, Labels }) => ({
      containerId: Id,
      createdAt: Created * 1_000,
      status: State,
      labels: Labels ?? {},
    }));
  }

  /** @throws TypeError for what is no full id: a path, a name or a prefix must never get into a request. */
  #container(containerId: string): ReturnType<DockerClient['getContainer']> {
    if (!containerIdSchema.safeParse(containerId).success) throw new TypeError('Not a full container id');
    return this.#client.getContainer(containerId);
  }

  async #unless(
    fine: (error: unknown) => boolean,
    what: string,
    call: (signal: AbortSignal) => Promise<unknown>,
    signal: AbortSignal,
    ms?: number,
  ): Promise<void> {
    try {
      await this.#ask(what, call, signal, ms);
    } catch (error) {
      if (!fine(error)) throw error;
    }
  }

  async #parsed<T>(
    what: string,
    schema: z.ZodType<T>,
    call: (signal: AbortSignal) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<T> {
    const answer = await this.#ask(what, call, signal);
    return parsed(what, () => schema.parse(answer));
  }

  /** @throws one of the named errors, or the signal's reason. */
  async #ask(
    what: string,
    call: (signal: AbortSignal) => Promise<unknown>,
    signal: AbortSignal,
    ms = defaultMs,
  ): Promise<unknown> {
    signal.throwIfAborted();
    const silent = new EngineSilentError(`The engine did not ${what} within ${ms} ms`);
    const timeout = AbortSignal.timeout(ms);
    const either = AbortSignal.any([signal, timeout]);
    try {
      // Clients have been seen to leave a call open when its connection ends in the middle of an answer.
      return await withinSignal((async () => call(either))(), either);
    } catch (thrown) {
      signal.throwIfAborted();
      throw timeout.aborted ? silent : engineError(what, thrown);
    }
  }
}

function isGone(error: unknown, containerId: string): boolean {
  return error instanceof Error && isNoSuchContainer(error.cause, containerId);
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof Error && statusOf(error.cause) === status;
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new EngineAnswerError(`The engine's answer to ${what} is of no known shape`, { cause });
  }
}
