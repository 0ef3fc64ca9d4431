import {
  DeadlineError,
  describeError,
  type Handle,
  type Observation,
  type Runtime,
  type RuntimeContext,
} from '@agent-killswitch/core';
import { type AdoptOptions, adopt } from './adopt.ts';
import { Children } from './children.ts';
import { InvalidHandleError, UnreachableHandleError } from './errors.ts';
import { type ProcessHandle, parseHandle } from './handle.ts';
import { inspectTree } from './inspect-tree.ts';
import { killTree } from './kill-tree.ts';
import { locate } from './locate.ts';
import { Looker } from './looker.ts';
import { type ProcessRuntimeOptions, parseOptions } from './options.ts';
import { originHere, placeOf } from './origin.ts';
import { type SpawnedAgent, type SpawnOptions, spawnAgent } from './spawn-agent.ts';

export interface ProcessRuntime extends Runtime {
  readonly reach: 'machine';
  readonly canForce: false;
  locate(agentId: string, context: RuntimeContext): Promise<readonly ProcessHandle[]>;

  /**
   * Starts a command as an agent: in its own session, marked in its environment. Give its handle to the killswitch
   * (`running`) at once; should the host die before that, `locate` finds it by its mark.
   * @throws SpawnFailedError, InvalidInputError
   */
  spawnAgent(command: string, args: readonly string[], options: SpawnOptions): Promise<SpawnedAgent>;

  /**
   * A handle for a process that already runs. Without a mark of its own, it and its descendants are known by lineage and
   * session only: orphans that left both before the first look at it are not found.
   * @throws InvalidHandleError, ProcUnreadableError
   */
  adopt(pid: number, options: AdoptOptions): Promise<ProcessHandle>;

  /** How often all of /proc was read so far, for metrics. */
  readonly scans: number;
}

/** @throws UnsupportedPlatformError where there is no Linux /proc; InvalidConfigurationError */
export function processRuntime(options: ProcessRuntimeOptions = {}): ProcessRuntime {
  const { runtime, machineId, ownNamespace } = parseOptions(options);
  const origin = originHere(machineId);
  const looker = new Looker();
  const children = new Children();

  async function kill(given: Handle, { agentId, signal }: RuntimeContext): Promise<void> {
    const root = parseHandle(given, runtime);
    const { place, because } = placeOf(root, origin, ownNamespace);
    if (place === 'gone') return;
    if (place === 'elsewhere') throw new UnreachableHandleError(`pid ${root.pid}: ${because}`);
    if (signal.aborted)
      throw new DeadlineError(`No time left to kill agent ${agentId}: nothing was signalled`);
    try {
      await inTime(killTree(looker, { agentId, root }, signal), agentId, signal);
    } catch (thrown) {
      if (!(thrown instanceof InvalidHandleError)) children.killGroup(root.pid, root.startTime);
      throw thrown;
    }
  }

  async function inspect(given: Handle, { agentId, signal }: RuntimeContext): Promise<Observation> {
    let root: ProcessHandle;
    try {
      root = parseHandle(given, runtime);
    } catch (thrown) {
      return { state: 'unknown', evidence: describeError(thrown) };
    }
    const { place, because } = placeOf(root, origin, ownNamespace);
    if (place === 'here') return inspectTree(looker, { agentId, root }, signal);
    return { state: place === 'gone' ? 'dead' : 'unknown', evidence: `pid ${root.pid}: ${because}` };
  }

  return {
    reach: 'machine',
    canForce: false,
    kill,
    force: kill,
    inspect,
    async locate(agentId, { signal }) {
      const roots = await inTime(locate(looker, agentId, signal), agentId, signal);
      return roots.map(({ pid, startTime, session }) => ({
        runtime,
        pid,
        startTime,
        ...origin,
        ownSession: session === pid,
      }));
    },
    spawnAgent: (command, args, options) => spawnAgent(command, args, options, { runtime, origin, children }),
    adopt: (pid, options) => adopt(pid, options, { runtime, origin, looker }),
    get scans() {
      return looker.scans;
    },
  };
}

/** @throws DeadlineError in place of whatever the caller aborts with */
async function inTime<T>(work: Promise<T>, agentId: string, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (signal.aborted && cause === signal.reason) {
      throw new DeadlineError(`Looking at the processes of agent ${agentId} was cut short`, { cause });
    }
    throw cause;
  }
}
