import type { Agent, LedgerEntry } from './agent.ts';
import { longestTimerMs } from './config-schema.ts';
import { contained } from './contained.ts';
import { withDeadline } from './deadline.ts';
import { describeError, isKillswitchError } from './errors.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import type { Clock } from './ports/clock.ts';

const defaults = { tries: 3, backoffMs: 100 };
/** Between the tries of a step that has failed, which hold up nothing any more, in milliseconds. */
const againMs = { shortest: 1_000, longest: 60_000 };
/** How many tries of one step may never come back; one more only after this long each time (I12). */
const mostUnanswered = 3;
const unansweredAgainMs = 600_000;
/** No pause between two tries is longer: one that is was begun by a clock that was ahead. */
export const longestPauseMs: number = unansweredAgainMs;

/** A step that was tried: done, or failed and perhaps due again. */
export type Tried = LedgerEntry & { readonly status: 'done' | 'failed' };

/** Whatever it is: handed on by itself it could be a promise, and be waited for. */
interface Fault {
  readonly thrown: unknown;
}

export interface StepTriesHost {
  readonly clock: Clock;
  readonly steps: readonly CleanupStep[];
  /** How long one try of one step may take, in milliseconds, unless the step says otherwise. */
  readonly stepMs: number;
}

/** Tries cleanup steps of single agents, each try under a deadline. What a step throws, or never answers, is contained. */
export class StepTries {
  readonly #host: StepTriesHost;
  /** Per agent and step how many tries have not come back. */
  readonly #unanswered = new Map<string, number>();
  #stopped = false;

  constructor(host: StepTriesHost) {
    this.#host = host;
  }

  /** Begins no further tries. */
  stop(): void {
    this.#stopped = true;
  }

  /** Several tries of a step that is still to be done; `undefined` if it has nothing to do for this agent. */
  async first({ step: name }: LedgerEntry, agent: Agent): Promise<Tried | undefined> {
    const step = this.#find(name);
    if (step === undefined) return notConfigured(name, 1);
    if (!applies(step, agent)) return undefined;
    const { tries: most = defaults.tries, backoffMs = defaults.backoffMs } = step.limits ?? {};
    for (let tries = 1; ; tries++) {
      const fault = await this.#try(step, agent);
      if (fault === undefined) return { step: name, status: 'done', tries };
      // One that hangs is not tried again at once: it would keep the order open for as long once more.
      const gaveUp = tries >= most || this.#stopped || isKillswitchError(fault.thrown, 'deadline');
      if (gaveUp) return this.#failed(step, agent, tries, fault);
      const pauseMs = Math.min(backoffMs * 2 ** (tries - 1), longestTimerMs);
      await new Promise<void>((resolve) => this.#host.clock.setTimer(pauseMs, resolve));
    }
  }

  /** One more try of a step that has failed. */
  async again({ step: name, tries: before }: LedgerEntry, agent: Agent): Promise<Tried> {
    const tries = before + 1;
    const step = this.#find(name);
    if (step === undefined) return notConfigured(name, tries);
    const fault = await this.#try(step, agent);
    return fault === undefined
      ? { step: name, status: 'done', tries }
      : this.#failed(step, agent, tries, fault);
  }

  #find(name: string): CleanupStep | undefined {
    return this.#host.steps.find((each) => each.name === name);
  }

  /** What was thrown, if anything was. */
  async #try(step: CleanupStep, agent: Agent): Promise<Fault | undefined> {
    const { clock, stepMs } = this.#host;
    const { deadlineMs = stepMs } = step.limits ?? {};
    const key = keyOf(step, agent);
    try {
      await withDeadline(clock, `cleanup step ${step.name}`, deadlineMs, (signal) => {
        this.#count(key, 1);
        const running = (async () => step.run(agent, { signal }))();
        const answered = (): void => this.#count(key, -1);
        running.then(answered, answered);
        return running;
      });
      return undefined;
    } catch (thrown) {
      return { thrown: thrown ?? new Error('nothing was thrown') };
    }
  }

  #failed(step: CleanupStep, agent: Agent, tries: number, { thrown }: Fault): Tried {
    const { backoffMs = defaults.backoffMs } = step.limits ?? {};
    const isStuck = (this.#unanswered.get(keyOf(step, agent)) ?? 0) >= mostUnanswered;
    const pauseMs = Math.ceil(
      Math.min(Math.max(backoffMs * 2 ** (tries - 1), againMs.shortest), againMs.longest),
    );
    const retryAt = this.#host.clock.now() + (isStuck ? unansweredAgainMs : pauseMs);
    return { step: step.name, status: 'failed', tries, error: describeError(thrown), retryAt };
  }

  #count(key: string, by: 1 | -1): void {
    const count = (this.#unanswered.get(key) ?? 0) + by;
    if (count > 0) this.#unanswered.set(key, count);
    else this.#unanswered.delete(key);
  }
}

function keyOf({ name }: CleanupStep, { agentId }: Agent): string {
  return `${agentId} ${name}`;
}

/** Not tried by itself any more: only a start with other steps can change that. */
function notConfigured(step: string, tries: number): Tried {
  return { step, status: 'failed', tries, error: 'no such step is configured any more' };
}

/** A step that cannot tell is run: steps are idempotent. */
function applies(step: CleanupStep, agent: Agent): boolean {
  return contained(true, () => step.appliesTo(agent));
}
