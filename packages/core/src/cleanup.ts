import type { Agent, LedgerEntry } from './agent.ts';
import { cleanupFinished } from './audit-facts.ts';
import type { Book } from './book.ts';
import { longestTimerMs } from './config-schema.ts';
import { withDeadline } from './deadline.ts';
import { describeError, isKillswitchError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import { pagesOf } from './pages.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import type { Clock } from './ports/clock.ts';
import type { Recorder } from './recorder.ts';

const defaults = { tries: 3, backoffMs: 100 };
const durableMs = 1_000;
const waiting = 'A cleanup waits until its result is on the audit record';

export interface CleanupHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly recorder: Recorder;
  readonly events: GuardedEvents;
  readonly steps: readonly CleanupStep[];
  /** How long one try of one step may take, in milliseconds, unless the step says otherwise. */
  readonly stepMs: number;
}

/**
 * Runs the cleanup steps of this host's ended agents: in order, each whatever the others did (REQUIREMENTS B4), each
 * bounded. An agent's ledger names every step from its admission on, so that what a crash cuts off is found again.
 */
export class Cleanup {
  readonly #host: CleanupHost;
  readonly #running = new Map<string, Promise<Agent>>();
  #stopped = false;

  constructor(host: CleanupHost) {
    this.#host = host;
  }

  /** The ledger of an agent that is being admitted: everything is still to do. */
  plan(): LedgerEntry[] {
    return this.#host.steps.map(({ name }) => ({ step: name, status: 'pending', tries: 0 }));
  }

  /** Whether it is up to this host to run a step for the agent. */
  isDue(agent: Agent): boolean {
    return agent.hostId === this.#host.hostId && agent.ledger.some((entry) => entry.status === 'pending');
  }

  /** Runs what is due; calls for an agent that is being cleaned up join. Resolves with the agent as stored; never rejects. */
  run(agent: Agent): Promise<Agent> {
    if (!this.isDue(agent)) return Promise.resolve(agent);
    const running = this.#running.get(agent.agentId);
    if (running !== undefined) return running;
    const run = this.#run(agent).finally(() => this.#running.delete(agent.agentId));
    this.#running.set(agent.agentId, run);
    return run;
  }

  /** Starts what a crash cut off, and does not wait for it. @throws StateUnavailableError. */
  async resume(): Promise<void> {
    const key = `cleanup:${this.#host.hostId}`;
    for await (const agents of pagesOf((page) => this.#host.book.listAgents(key, page))) {
      for (const agent of agents) void this.run(agent);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(agent: Agent): Promise<Agent> {
    const { book, recorder, hostId, clock, events } = this.#host;
    const ledger: LedgerEntry[] = [];
    for (const entry of agent.ledger) {
      if (entry.status !== 'pending') {
        ledger.push(entry);
        continue;
      }
      const result = await this.#settle(entry, agent);
      if (result === undefined) continue;
      ledger.push(result);
      recorder.record(cleanupFinished(agent, result, hostId, clock.now()));
    }
    // On record before in the ledger: after a crash in between the step is run, and told, once more as the same fact (I4).
    while (!(await recorder.flush(durableMs))) {
      // At the next start the idempotent steps are run, and told, again.
      if (this.#stopped) return agent;
      events.emit('warning', { message: waiting });
    }
    try {
      return (await book.change(agent, { type: 'cleaned', ledger })).agent;
    } catch (error) {
      // Without the ledger the idempotent steps are run again.
      if (!isKillswitchError(error)) throw error;
      return agent;
    }
  }

  /** The entry's end; `undefined` if the step had nothing to do. */
  async #settle(
    { step: name }: LedgerEntry,
    agent: Agent,
  ): Promise<(LedgerEntry & { readonly status: 'done' | 'failed' }) | undefined> {
    const step = this.#host.steps.find((each) => each.name === name);
    if (step === undefined)
      return { step: name, status: 'failed', tries: 1, error: 'no such step is configured any more' };
    return applies(step, agent) ? this.#try(step, agent) : undefined;
  }

  async #try(step: CleanupStep, agent: Agent): Promise<LedgerEntry & { readonly status: 'done' | 'failed' }> {
    const { clock, stepMs } = this.#host;
    const {
      deadlineMs = stepMs,
      tries: maxTries = defaults.tries,
      backoffMs = defaults.backoffMs,
    } = step.limits ?? {};
    for (let tries = 1; ; tries++) {
      try {
        await withDeadline(clock, `cleanup step ${step.name}`, deadlineMs, (signal) =>
          step.run(agent, { signal }),
        );
        return { step: step.name, status: 'done', tries };
      } catch (error) {
        // One that hangs is not tried again: it would keep the order open for as long once more.
        const gaveUp = tries >= maxTries || this.#stopped || isKillswitchError(error, 'deadline');
        if (gaveUp) return { step: step.name, status: 'failed', tries, error: describeError(error) };
        const pauseMs = Math.min(backoffMs * 2 ** (tries - 1), longestTimerMs);
        await new Promise<void>((resolve) => clock.setTimer(pauseMs, resolve));
      }
    }
  }
}

/** A step that cannot tell is run: steps are idempotent. */
function applies(step: CleanupStep, agent: Agent): boolean {
  try {
    return step.appliesTo(agent);
  } catch {
    return true;
  }
}
