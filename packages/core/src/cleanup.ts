import type { Agent, LedgerEntry } from './agent.ts';
import { cleanupFinished } from './audit-facts.ts';
import type { Book } from './book.ts';
import { withDeadline } from './deadline.ts';
import { describeError, isKillswitchError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import type { Clock } from './ports/clock.ts';
import type { Recorder } from './recorder.ts';

const maxTries = 3;
const pauseMs = 100;
const durableMs = 1_000;
const waiting = 'A cleanup waits until its result is on the audit record';

export interface CleanupHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly recorder: Recorder;
  readonly events: GuardedEvents;
  readonly steps: readonly CleanupStep[];
  /** How long one try of one step may take, in milliseconds. */
  readonly stepMs: number;
}

/**
 * Runs the cleanup steps of dead agents: in order, each whatever the others did (REQUIREMENTS B4), each bounded, and
 * keeps their ledger. A step that fails is tried three times, one that hangs once.
 */
export class Cleanup {
  readonly #host: CleanupHost;
  readonly #running = new Map<string, Promise<Agent>>();

  constructor(host: CleanupHost) {
    this.#host = host;
  }

  /** Whether a step that applies to the agent has neither been done nor given up. */
  isDue(agent: Agent): boolean {
    return this.#applying(agent).some(
      (step) => !agent.ledger.some((entry) => entry.step === step.name && entry.status !== 'pending'),
    );
  }

  /** Runs what is due; calls for an agent that is being cleaned up join. Resolves with the agent as stored; never rejects. */
  run(agent: Agent): Promise<Agent> {
    const running = this.#running.get(agent.agentId);
    if (running !== undefined) return running;
    const run = this.#run(agent).finally(() => this.#running.delete(agent.agentId));
    this.#running.set(agent.agentId, run);
    return run;
  }

  async #run(agent: Agent): Promise<Agent> {
    const { book, recorder, hostId, clock } = this.#host;
    const ledger: LedgerEntry[] = agent.ledger.filter((entry) => entry.status === 'done');
    const due = this.#applying(agent).filter((step) => !ledger.some((entry) => entry.step === step.name));
    if (due.length === 0) return agent;
    for (const step of due) {
      const entry = await this.#try(step, agent);
      ledger.push(entry);
      recorder.record(cleanupFinished(agent, entry, hostId, clock.now()));
    }
    // On record before in the ledger: after a crash in between the step is run, and told, once more as the same fact (I4).
    while (!(await recorder.flush(durableMs))) this.#host.events.emit('warning', { message: waiting });
    try {
      return (await book.change(agent, { type: 'cleaned', ledger })).agent;
    } catch (error) {
      // Without the ledger the idempotent steps are run again after a restart.
      if (!isKillswitchError(error)) throw error;
      return agent;
    }
  }

  async #try(step: CleanupStep, agent: Agent): Promise<LedgerEntry & { readonly status: 'done' | 'failed' }> {
    const { clock, stepMs } = this.#host;
    for (let tries = 1; ; tries++) {
      try {
        await withDeadline(clock, `cleanup step ${step.name}`, stepMs, (signal) =>
          step.run(agent, { signal }),
        );
        return { step: step.name, status: 'done', tries };
      } catch (error) {
        const gaveUp = tries === maxTries || isKillswitchError(error, 'deadline');
        if (gaveUp) return { step: step.name, status: 'failed', tries, error: describeError(error) };
        await new Promise<void>((resolve) => clock.setTimer(pauseMs * 2 ** tries, resolve));
      }
    }
  }

  #applying(agent: Agent): readonly CleanupStep[] {
    return this.#host.steps.filter((step) => {
      try {
        return step.appliesTo(agent);
      } catch {
        // A step that cannot tell is run: steps are idempotent.
        return true;
      }
    });
  }
}
