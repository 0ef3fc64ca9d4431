import type { Handle, Killswitch, NewAgent, Runtime } from '@agent-killswitch/core';
import type { Behaviour } from './behaviours.ts';

export interface LaunchRequest {
  readonly agentId: string;
  readonly behaviour: Behaviour;
  /** Its working folder. */
  readonly cwd: string;
  readonly killswitch: Killswitch;
}

export interface Launched {
  readonly handle: Handle;
  /** The launcher has said itself that the agent runs. */
  readonly isEnrolled?: boolean;
  /** Resolves when it has ended by itself or was ended: with what went wrong, or `undefined` if it has done its work. */
  readonly ended: Promise<string | undefined>;
}

/** Starts agents of one kind, and has the runtime that kills them. */
export interface Launcher {
  readonly runtime: Runtime;
  /** What an agent of this kind leaves to be cleaned up. */
  readonly resources?: NonNullable<NewAgent['resources']>;
  launch(request: LaunchRequest): Promise<Launched>;
}
