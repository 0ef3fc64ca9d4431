import {
  describeError,
  type Handle,
  type Observation,
  type Runtime,
  type RuntimeContext,
} from '@agent-killswitch/core';
import { AgentStoppedError, InvalidHandleError, UnreachableHandleError } from './errors.ts';
import { fateOf, lifeHere } from './host-life.ts';
import { type HostedHandle, parseHostedHandle } from './hosted-handle.ts';
import { type HostedRun, HostedRuns, type RunState } from './hosted-runs.ts';
import type { HostedRuntimeOptions } from './options.ts';

export interface HostedRuntime extends Runtime {
  readonly reach: 'host';
  /** A kill already does all that can be done. */
  readonly canForce: false;
  stop(handle: Handle, context: RuntimeContext): Promise<void>;
  locate(agentId: string, context: RuntimeContext): Promise<readonly HostedHandle[]>;
}

/** What a runtime of agents in this process's memory is made of. */
export interface Hosted {
  readonly runtime: HostedRuntime;
  add(run: HostedRun): { readonly handle: HostedHandle; readonly end: (evidence: string) => void };
}

/**
 * Runtimes of agents in this process's memory: alive until they are seen to end, or until the process is gone in which they
 * lived, by its pid and start time. A demand is made at once, so that it also works in a call whose time is up.
 */
export function hosted({
  runtime,
  machineId,
  ownNamespace = false,
}: HostedRuntimeOptions & { readonly runtime: string }): Hosted {
  const here = lifeHere(machineId);
  const runs = new HostedRuns();
  const handleOf = (run: number): HostedHandle => ({ runtime, run, life: here });

  /** @throws InvalidHandleError, UnreachableHandleError, ProcUnreadableError */
  function find(given: Handle, agentId: string): RunState {
    const { life, run } = parseHostedHandle(given, runtime);
    const { fate, because } = fateOf(life, here, ownNamespace);
    if (fate === 'gone') return { state: 'dead', agentId, evidence: because };
    if (fate === 'elsewhere')
      throw new UnreachableHandleError(`Agent ${agentId} was not touched: ${because}`);
    const found = runs.of(run);
    if (found === undefined) throw new InvalidHandleError(`No agent was ever started here as number ${run}`);
    const owner = found.state === 'alive' ? found.run.agentId : found.agentId;
    if (owner === undefined || owner === agentId) return found;
    throw new InvalidHandleError(`Number ${run} was started here as another agent than ${agentId}`);
  }

  async function kill(given: Handle, { agentId, reason }: RuntimeContext): Promise<void> {
    const found = find(given, agentId);
    if (found.state === 'dead') return;
    found.run.abort(new AgentStoppedError(agentId, 'kill', reason));
    found.run.terminate?.();
  }

  async function stop(given: Handle, { agentId, reason }: RuntimeContext): Promise<void> {
    const found = find(given, agentId);
    if (found.state === 'alive') found.run.abort(new AgentStoppedError(agentId, 'stop', reason));
  }

  async function inspect(given: Handle, { agentId }: RuntimeContext): Promise<Observation> {
    try {
      const found = find(given, agentId);
      if (found.state === 'dead') return { state: 'dead', evidence: found.evidence };
      return { state: 'alive', evidence: found.run.evidence };
    } catch (thrown) {
      return { state: 'unknown', evidence: describeError(thrown) };
    }
  }

  return {
    runtime: {
      reach: 'host',
      canForce: false,
      stop,
      kill,
      force: kill,
      inspect,
      locate: async (agentId) => runs.livingOf(agentId).map(handleOf),
    },
    add(run) {
      const number = runs.add(run);
      return { handle: handleOf(number), end: (evidence) => runs.end(number, evidence) };
    },
  };
}
