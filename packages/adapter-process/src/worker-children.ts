import { describeError, type Handle, type Observation, type RuntimeContext } from '@agent-killswitch/core';
import type { HostedRuntime } from './hosted-runtime.ts';
import type { ProcessRuntime } from './process-runtime.ts';

/**
 * Adds to the kill and the death of agents in this process's memory the processes that they have started: those that carry
 * their mark, and what descends from these. A thread that waits for such a process in a system call ends only after it.
 */
export function withChildren(runtime: HostedRuntime, processes: ProcessRuntime): HostedRuntime {
  async function kill(handle: Handle, context: RuntimeContext): Promise<void> {
    await runtime.kill(handle, context);
    const children = await processes.locate(context.agentId, context);
    await Promise.all(children.map((child) => processes.kill(child, context)));
  }

  async function inspect(handle: Handle, context: RuntimeContext): Promise<Observation> {
    const seen = await runtime.inspect(handle, context);
    if (seen.state !== 'dead') return seen;
    try {
      const children = await processes.locate(context.agentId, context);
      if (children.length === 0)
        return { ...seen, evidence: `${seen.evidence}, no process carries its mark` };
      const pids = children.map(({ pid }) => pid).join(', ');
      return { state: 'alive', evidence: `${seen.evidence}, but pid ${pids} that it started is alive` };
    } catch (thrown) {
      return { state: 'unknown', evidence: `${seen.evidence}, but its processes: ${describeError(thrown)}` };
    }
  }

  return { ...runtime, kill, force: kill, inspect };
}
