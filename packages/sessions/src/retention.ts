import { type Clock, describeError, isLive } from '@agent-killswitch/core';
import { askStore } from './ask-store.ts';
import { placeBefore } from './session-place.ts';
import type { SessionReader } from './session-reader.ts';
import type { SessionStore } from './session-store.ts';

/** So many sessions are looked at in one step: more than the one that has started, so that what is kept does not grow. */
const mostAtOnce = 20;
const mostFaults = 3;
const pauseMs = { afterAll: 60_000, afterNone: 1_000 };

export interface RetentionHost {
  readonly reader: SessionReader;
  readonly store: SessionStore;
  /** Resolves when a session that has ended stores nothing more. */
  readonly stored: (sessionId: string) => Promise<void>;
  readonly clock: Clock;
  /** How long a session is kept after its end, in milliseconds. `Infinity`: for ever. */
  readonly keepEndedMs: number;
}

/**
 * Forgets sessions that have been over for long enough: a few whenever another one starts, in the background. Only those are
 * over whose agent is on record as ended; one that the killswitch's state does not know may live, and is kept.
 */
export class Retention {
  readonly #host: RetentionHost;
  /** How far this round has come, from those that ended long enough ago back to the oldest. */
  #cursor: string | undefined;
  #notBefore = 0;
  #step: Promise<void> | undefined;
  #isClosed = false;

  constructor(host: RetentionHost) {
    this.#host = host;
  }

  /** Begins a step if one is due. */
  tend(): void {
    const { clock, keepEndedMs } = this.#host;
    if (keepEndedMs === Number.POSITIVE_INFINITY || this.#isClosed) return;
    if (this.#step !== undefined || clock.now() < this.#notBefore) return;
    this.#step = this.#forgetSome(clock.now() - keepEndedMs)
      .catch((error: unknown) => {
        this.#rest(pauseMs.afterAll);
        if (!this.#isClosed) process.emitWarning(`Old sessions are not forgotten: ${describeError(error)}`);
      })
      .finally(() => {
        this.#step = undefined;
      });
  }

  /** Ends the step under way after the call that it is in. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#step;
  }

  /**
   * Forgets a session that ended no later than `endedBy`. `false`: there is none.
   * @throws StateUnavailableError, SessionStoreError
   */
  async forget(sessionId: string, endedBy: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    const agent = await this.#host.reader.agentOf(sessionId);
    if (agent === undefined || isLive(agent)) return false;
    if ('completedAt' in agent && agent.completedAt > endedBy) return false;
    const { workspaceId, spawnedAt: startedAt } = agent;
    await askStore(`Session "${sessionId}" could not be forgotten`, async () => {
      await this.#host.stored(sessionId);
      await this.#host.store.remove({ sessionId, workspaceId, startedAt });
    });
    return true;
  }

  async #forgetSome(endedBy: number): Promise<void> {
    const cursor = this.#cursor ?? placeBefore(endedBy);
    const { store } = this.#host;
    const page = await askStore('Sessions could not be listed', () =>
      store.list({ limit: mostAtOnce, cursor }),
    );
    let forgotten = 0;
    const faults: unknown[] = [];
    for (const { sessionId } of [...page.items, ...(page.damaged ?? [])]) {
      if (this.#isClosed) return;
      try {
        if (await this.forget(sessionId, endedBy)) forgotten += 1;
      } catch (error) {
        // One that cannot be forgotten must not keep all before it; several are an outage.
        faults.push(error);
        if (faults.length === mostFaults) break;
      }
    }
    this.#cursor = page.cursor;
    if (faults.length > 0) throw faults[0];
    if (page.cursor === undefined) this.#rest(pauseMs.afterAll);
    else if (forgotten === 0) this.#rest(pauseMs.afterNone);
  }

  #rest(ms: number): void {
    this.#notBefore = this.#host.clock.now() + ms;
  }
}
