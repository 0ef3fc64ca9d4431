import type { Handle, Observation, Runtime, RuntimeContext } from '@agent-killswitch/core';

export const inTime = (agentId: string, ms = 5_000): RuntimeContext => ({
  agentId,
  signal: AbortSignal.timeout(ms),
});

/** Looks until the answer is no longer `alive`, as the core does; rejects if that takes more than 5 s. */
export async function settled(runtime: Runtime, agentId: string, handle: Handle): Promise<Observation> {
  const context = inTime(agentId);
  for (;;) {
    const seen = await runtime.inspect(handle, context);
    if (seen.state !== 'alive') return seen;
  }
}
