import { describeError, type Killswitch, type OrderReport } from '@agent-killswitch/core';
import { contained } from './contained.ts';
import type { Settings } from './shutdown-options.ts';
import { within } from './within.ts';

export interface ShutdownReport {
  /** 0 if there is no fault. */
  readonly exitCode: 0 | 1;
  /** What the stop of this host's agents came to. Absent if it failed. */
  readonly stop?: OrderReport;
  /** One line each: who is not confirmed dead, what is not saved, what could not be closed. */
  readonly faults: readonly string[];
}

/**
 * The end of a service, once: stop its agents, close the killswitch, close the rest. What fails is named, and the rest goes on.
 *
 * - waiting: nothing was asked for. Left by `run`.
 * - under way: never left. `harden` ends the grace and, with it, the time that this takes.
 */
export class Shutdown {
  readonly #ks: Killswitch;
  readonly #settings: Settings;
  readonly #hardened = Promise.withResolvers<OrderReport>();
  #run: Promise<ShutdownReport> | undefined;
  /** The stop is answered: another one would stay open, for the next start to carry out. */
  #isStopped = false;
  #isHard = false;

  constructor(ks: Killswitch, settings: Settings) {
    this.#ks = ks;
    this.#settings = settings;
    this.#hardened.promise.catch(() => undefined);
  }

  get isUnderWay(): boolean {
    return this.#run !== undefined;
  }

  /** Every call returns the same promise, which never rejects. */
  run(reason: string): Promise<ShutdownReport> {
    this.#run ??= this.#shutDown(reason);
    return this.#run;
  }

  /** Joins the stop that is under way, which has no grace from now on (I7). Nothing once it is answered, or a second time. */
  harden(reason: string): void {
    if (this.#isStopped || this.#isHard) return;
    this.#isHard = true;
    this.#ks.shutdown({ reason, graceMs: 0 }).then(this.#hardened.resolve, this.#hardened.reject);
  }

  async #shutDown(reason: string): Promise<ShutdownReport> {
    const { graceMs, closeMs, close, log } = this.#settings;
    const faults: string[] = [];
    const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        faults.push(`${what}: ${describeError(error)}`);
        return undefined;
      }
    };
    const stop = await attempt('The agents were not stopped', () =>
      Promise.race([this.#ks.shutdown({ reason, graceMs }), this.#hardened.promise]),
    );
    this.#isStopped = true;
    if (stop !== undefined) faults.push(...faultsOf(stop));
    await attempt('The killswitch was not closed well', () => within(closeMs, () => this.#ks.close()));
    if (close !== undefined) await attempt('Not closed', () => within(closeMs, close));
    for (const fault of faults) contained(() => log(fault));
    return { exitCode: faults.length === 0 ? 0 : 1, ...(stop === undefined ? {} : { stop }), faults };
  }
}

/** A cleanup step that has failed is tried again at the next start, and no fault of the shutdown. */
function faultsOf({ settled, outcomes, errors }: OrderReport): string[] {
  if (settled) return [];
  const pending = outcomes.filter(({ outcome }) => outcome === 'pending');
  const faults = [...errors, ...pending.map(({ agentId }) => `Agent "${agentId}" is not confirmed dead yet`)];
  return faults.length > 0 ? faults : ['The stop has not settled: the next start goes on with it'];
}
