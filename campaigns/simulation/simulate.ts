import { judge } from './checks/index.ts';
import { playRound } from './round.ts';
import { realCore, type SimulatedCore } from './simulated-core.ts';

/**
 * Plays the round of this seed, 0 to 2^32 - 1, and resolves with every promise that it broke, one line each, none if all
 * held. `core` replaces what it names and keeps the rest: `import('…/core/src/index.ts')` of a changed copy will do.
 */
export async function simulate(core: Partial<SimulatedCore>, seed: number): Promise<readonly string[]> {
  const { createKillswitch, rolePolicy, memoryState, memoryAudit } = { ...realCore, ...core };
  return judge(await playRound(seed, { core: { createKillswitch, rolePolicy, memoryState, memoryAudit } }));
}
