import type { Agent } from '../agent.ts';

/**
 * One step of the cleanup after an agent's death, for example "remove its worktree". Steps run in the configured
 * order, each whatever the others did (REQUIREMENTS B4), never before death is observed, each under the cleanup
 * deadline, and again after a failure or a crash.
 */
export interface CleanupStep {
  /** Unique in a killswitch; names the step in the agent's ledger and on the record. */
  readonly name: string;
  /**
   * For one try, how often (1 to 100), and the pause before the second try, doubled each time, all up to a timer's limit. Default:
   * the killswitch's `deadlines.cleanup`, 3 tries, 100 ms. A stop order waits for so many tries, or until one runs into its
   * deadline, and settles with the step named as failed. After that it is tried again, one try at a time, with pauses that
   * go on doubling from a second to a minute, until it succeeds, also after a restart.
   */
  readonly limits?: { readonly deadlineMs?: number; readonly tries?: number; readonly backoffMs?: number };
  /** Whether there is anything to do for this agent. Cheap, synchronous, no side effects. */
  appliesTo(agent: Agent): boolean;
  /**
   * Does it. Idempotent: already done is success. Stops soon after `signal` aborts.
   * @throws anything: recorded in the ledger as `failed`, and retried. A try that never comes back, although its signal was aborted, counts
   *   as failed too; after three such, the step is tried every ten minutes only.
   */
  run(agent: Agent, context: { readonly signal: AbortSignal }): Promise<void>;
}
