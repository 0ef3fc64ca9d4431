import { type Agent, isLive, type LedgerEntry } from './agent.ts';
import type { AuditEvent } from './audit-event.ts';
import { cleanupFinished } from './audit-facts.ts';
import type { Book } from './book.ts';
import { isKillswitchError } from './errors.ts';
import type { GuardedEvents } from './events.ts';
import { pagesOf } from './pages.ts';
import type { Recorder } from './recorder.ts';
import { longestPauseMs, StepTries, type StepTriesHost, type Tried } from './step-tries.ts';

const durableMs = 1_000;
/** So many agents with failed steps are tried again at once. */
const mostAgain = 100;
/** A listing of many agents is not read again before this long has passed per page of it, in milliseconds. */
const perPageMs = 1_000;
const waiting = 'A cleanup waits until its result is on the audit record';

export interface CleanupHost extends StepTriesHost {
  readonly hostId: string;
  readonly book: Book;
  readonly recorder: Recorder;
  readonly events: GuardedEvents;
}

/**
 * Runs the cleanup steps of this host's ended agents: in order, each whatever the others did (REQUIREMENTS B4), each
 * bounded. An agent's ledger names every step from its admission on, so that what a crash cuts off is found again.
 *
 * - pending: to be done, some tries in a row; a stop order waits for them.
 * - failed: named in reports, and tried again at `retryAt`, with pauses that double up to a minute, until it is done. No
 *   order waits for that.
 * - done: for good.
 */
export class Cleanup {
  readonly #host: CleanupHost;
  readonly #tries: StepTries;
  readonly #running = new Map<string, Promise<Agent>>();
  #stopped = false;
  #listAt = 0;

  constructor(host: CleanupHost) {
    this.#host = host;
    this.#tries = new StepTries(host);
  }

  /** The ledger of an agent that is being admitted: everything is still to do. */
  plan(): LedgerEntry[] {
    return this.#host.steps.map(({ name }) => ({ step: name, status: 'pending', tries: 0 }));
  }

  /** Whether it is up to this host to run a step for the agent that was not tried yet. */
  isDue(agent: Agent): boolean {
    return agent.hostId === this.#host.hostId && agent.ledger.some(({ status }) => status === 'pending');
  }

  /** Runs what is due; calls for an agent that is being cleaned up join. Resolves with the agent as stored; never rejects. */
  run(agent: Agent): Promise<Agent> {
    if (!this.isDue(agent) && !this.#isDueAgain(agent)) return Promise.resolve(agent);
    const running = this.#running.get(agent.agentId);
    if (running !== undefined) return running;
    const run = this.#run(agent).finally(() => this.#running.delete(agent.agentId));
    this.#running.set(agent.agentId, run);
    return run;
  }

  /** Starts what a crash cut off and what is to be tried again, and does not wait for it. @throws StateUnavailableError. */
  async resume(): Promise<void> {
    const { book, hostId, clock } = this.#host;
    if (clock.now() < this.#listAt) return;
    let pages = 0;
    for await (const agents of pagesOf(clock, (page) => book.listAgents(`cleanup:${hostId}`, page))) {
      pages += 1;
      for (const agent of agents)
        if (this.isDue(agent) || this.#running.size < mostAgain) void this.run(agent);
    }
    if (pages > 1) this.#listAt = clock.now() + pages * perPageMs;
  }

  stop(): void {
    this.#stopped = true;
    this.#tries.stop();
  }

  #isDueAgain(agent: Agent): boolean {
    if (agent.hostId !== this.#host.hostId || isLive(agent)) return false;
    return agent.ledger.some((entry) => this.#isToTryAgain(entry));
  }

  #isToTryAgain({ status, retryAt }: LedgerEntry): boolean {
    if (status !== 'failed' || retryAt === undefined) return false;
    const leftMs = retryAt - this.#host.clock.now();
    return leftMs <= 0 || leftMs > longestPauseMs;
  }

  /** Returns what the recorder has no room for now. */
  #tell(facts: readonly AuditEvent[]): AuditEvent[] {
    return facts.filter((fact) => !this.#host.recorder.offer(fact));
  }

  async #run(agent: Agent): Promise<Agent> {
    const { book, recorder, hostId, clock, events } = this.#host;
    const ledger: LedgerEntry[] = [];
    let untold: AuditEvent[] = [];
    for (const entry of agent.ledger) {
      const isFirst = entry.status === 'pending';
      if (!isFirst && (this.#stopped || !this.#isToTryAgain(entry))) {
        ledger.push(entry);
        continue;
      }
      const result = isFirst ? await this.#tries.first(entry, agent) : await this.#tries.again(entry, agent);
      if (result === undefined) continue;
      ledger.push(result);
      if (isNews(entry, result))
        untold.push(...this.#tell([cleanupFinished(agent, result, hostId, clock.now())]));
    }
    // On record before in the ledger: after a crash in between the step is run, and told, once more as the same fact (I4).
    for (;;) {
      while (!(await recorder.flush(durableMs))) {
        // At the next start the idempotent steps are run, and told, again.
        if (this.#stopped) return agent;
        events.emit('warning', { message: waiting });
      }
      if (untold.length === 0) break;
      untold = this.#tell(untold);
    }
    try {
      return (await book.change(agent, { type: 'cleaned', ledger })).agent;
    } catch (error) {
      // Without the ledger the idempotent steps are run again.
      if (!isKillswitchError(error)) throw error;
      return agent;
    }
  }
}

/** A failure is told once, however often the step fails after that, and so is its success (I4). */
function isNews(before: LedgerEntry, { status }: Tried): boolean {
  return before.status !== status;
}
