import type { HostedRuntime } from '@agent-killswitch/adapter-process';
import { describeError, type Handle, type Killswitch } from '@agent-killswitch/core';
import { Checkpoints } from './checkpoints.ts';
import { SessionStoreError } from './errors.ts';
import type { SessionStore } from './session-store.ts';
import type { StartedSession } from './sessions.ts';
import type { AskedFacts } from './start-input.ts';

/** Takes sessions in, and has the killswitch know of them as of any agent. */
export class Enrolment {
  readonly #ks: Killswitch;
  readonly #store: SessionStore;
  readonly #backendId: string;
  /** Sessions of this process whose end is not stored yet. */
  readonly #open = new Map<string, Promise<unknown>>();
  #lost = 0;

  constructor(ks: Killswitch, store: SessionStore, backendId: string) {
    this.#ks = ks;
    this.#store = store;
    this.#backendId = backendId;
  }

  /** Asks whether it may start, and puts it on file; nothing runs yet. @throws like `Sessions.start` */
  async admit(sessionId: string, facts: AskedFacts): Promise<Checkpoints> {
    const { workspaceId, ownerId, taskId = sessionId, ...more } = facts;
    const { spawnedAt } = await this.#ks.admit({
      ...more,
      ...{ agentId: sessionId, sessionIds: [sessionId], taskId, workspaceId, ownerId },
      backendId: this.#backendId,
    });
    const record = { sessionId, workspaceId, startedAt: spawnedAt };
    const lost = (error: unknown): void => {
      this.#lost += 1;
      process.emitWarning(
        `The last checkpoint of session "${sessionId}" is not stored: ${describeError(error)}`,
      );
    };
    const hung = (error: unknown): void =>
      process.emitWarning(`The store of session "${sessionId}" hangs: ${describeError(error)}`);
    const checkpoints = new Checkpoints({ store: this.#store, lost, hung }, record);
    await this.orFail(sessionId, () => checkpoints.begin());
    return checkpoints;
  }

  /** What has to succeed for an admitted session to start. @throws whatever `work` does; the session has failed then */
  async orFail<T>(sessionId: string, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // If it cannot be stored that it never ran, the next start finds that out.
      await this.#ks.failed(sessionId, error).catch(() => undefined);
      throw error;
    }
  }

  /** Whether a stop has claimed it since it was admitted. @throws StateUnavailableError */
  async isStopped(sessionId: string): Promise<boolean> {
    return (await this.#ks.agent(sessionId)).status !== 'spawning';
  }

  /**
   * Says that it runs, and later that it is over. `begun` is resolved once it may begin, and rejected if a stop came first.
   * @throws what `Killswitch.running` does; it was told to end then
   */
  async enrol<T>(
    sessionId: string,
    runtime: HostedRuntime,
    handle: Handle,
    ended: Promise<PromiseSettledResult<T>>,
    begun?: PromiseWithResolvers<void>,
  ): Promise<StartedSession<T>> {
    const enrolled = this.#ks.running(sessionId, [handle]);
    enrolled.then(
      ({ status }) => {
        if (status === 'running') begun?.resolve();
        else begun?.reject(new Error('It was stopped before it began'));
      },
      (error: unknown) => begun?.reject(error),
    );
    const told = ended.then(async (end) => {
      await enrolled.catch(() => undefined);
      await this.#tell(sessionId, end);
      return end;
    });
    this.#open.set(sessionId, told);
    void told.then(() => this.#open.delete(sessionId));
    try {
      await enrolled;
    } catch (error) {
      await runtime.kill(handle, { agentId: sessionId, signal: new AbortController().signal });
      throw error;
    }
    return { sessionId, ended: told };
  }

  /** Resolves when a session of this process that has ended stores nothing more; at once for any other. */
  async stored(sessionId: string): Promise<void> {
    await this.#open.get(sessionId);
  }

  /** See `Sessions.close`. */
  async close(): Promise<void> {
    await Promise.all(this.#open.values());
    if (this.#lost > 0)
      throw new SessionStoreError(`Last checkpoints that could not be stored: ${this.#lost}`);
  }

  async #tell(sessionId: string, end: PromiseSettledResult<unknown>): Promise<void> {
    try {
      if (end.status === 'fulfilled') await this.#ks.completed(sessionId);
      else await this.#ks.failed(sessionId, end.reason);
    } catch (error) {
      // It is seen dead by whoever looks at it next.
      process.emitWarning(`The end of session "${sessionId}" could not be stored: ${describeError(error)}`);
    }
  }
}
