import type { AgentStoppedError } from './errors.ts';

/** An agent that lives in this process's memory. */
export interface HostedRun {
  readonly agentId: string;
  /** What is said of it on the record while it has not ended. */
  readonly evidence: string;
  /** Tells it by its `AbortSignal` to end. The first reason stays. */
  abort(reason: AgentStoppedError): void;
  /** Ends it without its doing. Absent if nothing can. */
  terminate?(): void;
}

export type RunState =
  | { readonly state: 'alive'; readonly run: HostedRun }
  | { readonly state: 'dead'; readonly agentId: string | undefined; readonly evidence: string };

const maxEnded = 10_000;

/** The agents that one runtime has started in this process, living and dead. Bounded (I12): old deaths lose their details. */
export class HostedRuns {
  readonly #living = new Map<number, HostedRun>();
  readonly #ended = new Map<number, { readonly agentId: string; readonly evidence: string }>();
  #count = 0;

  add(run: HostedRun): number {
    this.#count += 1;
    this.#living.set(this.#count, run);
    return this.#count;
  }

  /** It was seen to end, as the evidence says. */
  end(number: number, evidence: string): void {
    const run = this.#living.get(number);
    if (run === undefined) return;
    this.#living.delete(number);
    this.#ended.set(number, { agentId: run.agentId, evidence });
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= maxEnded) break;
      this.#ended.delete(oldest);
    }
  }

  /** `undefined` of a number that was never given out. */
  of(number: number): RunState | undefined {
    const run = this.#living.get(number);
    if (run !== undefined) return { state: 'alive', run };
    if (number > this.#count) return undefined;
    return { state: 'dead', agentId: undefined, evidence: 'it ended long ago', ...this.#ended.get(number) };
  }

  livingOf(agentId: string): number[] {
    return [...this.#living].filter(([, run]) => run.agentId === agentId).map(([number]) => number);
  }
}
