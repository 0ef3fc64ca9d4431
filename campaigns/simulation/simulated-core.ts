import { createKillswitch, rolePolicy } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';

/** What the simulation runs: the core's own entry and its memory adapters, or deliberately broken ones of the same form. */
export interface SimulatedCore {
  readonly createKillswitch: typeof createKillswitch;
  readonly rolePolicy: typeof rolePolicy;
  readonly memoryState: typeof memoryState;
  readonly memoryAudit: typeof memoryAudit;
}

export const realCore: SimulatedCore = { createKillswitch, rolePolicy, memoryState, memoryAudit };
