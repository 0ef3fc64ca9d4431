import type { Handle } from '../agent.ts';

/**
 * Kills, forces and inspects one kind of agent. The core gives every call a hard timeout, calls again while the agent
 * is not observed dead, and never takes the absence of an error for death: only {@link Runtime.inspect} confirms (I3).
 * A handle is validated by the runtime before it acts. If in doubt whether a victim is the agent's, it is not touched
 * and the call rejects saying so.
 */
export interface Runtime {
  /**
   * `host`: only the host that started the agent can act on its handles. `machine`: any process on that machine can.
   * `network`: any host can.
   */
  readonly reach: 'host' | 'machine' | 'network';

  /** Whether {@link Runtime.force} can do more than {@link Runtime.kill}. If not, force repeats the kill. */
  readonly canForce: boolean;

  /**
   * Asks it to end by itself, for the grace of a `stop`. Idempotent. Omit it if there is no such way: the grace then
   * passes without a word.
   */
  stop?(handle: Handle, context: RuntimeContext): Promise<void>;

  /** Demands immediate death, no grace. Idempotent. Resolves when the demand is made, not when it has worked. */
  kill(handle: Handle, context: RuntimeContext): Promise<void>;

  /** The last rung: whatever this runtime has that needs no cooperation. Idempotent. */
  force(handle: Handle, context: RuntimeContext): Promise<void>;

  /** Looks. `unknown` whenever it could not look; never a guess. */
  inspect(handle: Handle, context: RuntimeContext): Promise<Observation>;

  /**
   * Finds the handles of an agent that has none on record, because its host died between starting it and saying so.
   * Complete: an empty list means that nothing of this agent exists here. Omit it if the runtime cannot know.
   */
  locate?(agentId: string, context: RuntimeContext): Promise<readonly Handle[]>;
}

export interface RuntimeContext {
  readonly agentId: string;
  /** Aborted when the call's time is up; what is done after that is ignored, but must stay harmless. */
  readonly signal: AbortSignal;
  /** Of a demand: the reason that the principal gave for the stop, for an agent that is told why. */
  readonly reason?: string;
}

/** What an inspection saw, in words that stand on the record. */
export interface Observation {
  readonly state: 'alive' | 'dead' | 'unknown';
  /** For example `pid 71 and 3 descendants gone from /proc`. No secrets. */
  readonly evidence: string;
}
