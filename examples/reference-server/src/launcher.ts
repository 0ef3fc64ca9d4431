import type { Handle, Runtime } from '@agent-killswitch/core';
import type { Behaviour } from './behaviours.ts';

export interface LaunchRequest {
  readonly agentId: string;
  readonly behaviour: Behaviour;
  /** Its working folder. */
  readonly cwd: string;
}

export interface Launched {
  readonly handle: Handle;
  /** Resolves when it has ended by itself or was ended: with what went wrong, or `undefined` if it has done its work. */
  readonly ended: Promise<string | undefined>;
}

/** Starts agents of one kind, and has the runtime that kills them. */
export interface Launcher {
  readonly runtime: Runtime;
  launch(request: LaunchRequest): Promise<Launched>;
}
