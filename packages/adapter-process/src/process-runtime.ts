import {
  DeadlineError,
  describeError,
  type Handle,
  type Observation,
  type Runtime,
  type RuntimeContext,
} from '@agent-killswitch/core';
import { type AdoptOptions, adopt } from './adopt.ts';
import { askTree } from './ask-tree.ts';
import { Cgroups, isPopulated, killCgroup, pidsIn } from './cgroup.ts';
import { Children } from './children.ts';
import { InvalidHandleError, UnreachableHandleError } from './errors.ts';
import { type ProcessHandle, parseHandle } from './handle.ts';
import { inspectContained } from './inspect-contained.ts';
import { inspectTree } from './inspect-tree.ts';
import { killTree } from './kill-tree.ts';
import { locate } from './locate.ts';
import { Looker } from './looker.ts';
import { type ProcessRuntimeOptions, parseOptions } from './options.ts';
import { originHere, placeOf } from './origin.ts';
import { readStat } from './proc.ts';
import { type SpawnedAgent, type SpawnOptions, spawnAgent } from './spawn-agent.ts';

export interface ProcessRuntime extends Runtime {
  readonly reach: 'machine';
  readonly canForce: false;
  /**
   * What holds the agents that are spawned here. `cgroup`: the kernel; no descendant can be missed, unless it may write to the
   * cgroup file system. `mark`: their environment, lineage and sessions; see the limits in the README.
   */
  readonly containment: 'cgroup' | 'mark';
  stop(handle: Handle, context: RuntimeContext): Promise<void>;
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
  const { runtime, machineId, ownNamespace, cgroup } = parseOptions(options);
  const origin = originHere(machineId);
  const looker = new Looker();
  const children = new Children();
  const cgroups = cgroup === 'off' ? undefined : Cgroups.here();
  const cgroupOf = (root: ProcessHandle, agentId: string): string | undefined =>
    root.contained ? cgroups?.pathOf(agentId) : undefined;

  async function kill(given: Handle, { agentId, signal }: RuntimeContext): Promise<void> {
    const root = parseHandle(given, runtime);
    const { place, because } = placeOf(root, origin, ownNamespace);
    if (place === 'gone') return;
    if (place === 'elsewhere') throw new UnreachableHandleError(`pid ${root.pid}: ${because}`);
    if (signal.aborted)
      throw new DeadlineError(`No time left to kill agent ${agentId}: nothing was signalled`);
    const home = cgroupOf(root, agentId);
    if (home !== undefined) killQuietly(home);
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
    if (place === 'here') {
      const home = cgroupOf(root, agentId);
      if (home === undefined) return inspectTree(looker, { agentId, root }, signal);
      return inspectContained(home, root, () => inspectTree(looker, { agentId, root }, signal));
    }
    return { state: place === 'gone' ? 'dead' : 'unknown', evidence: `pid ${root.pid}: ${because}` };
  }

  async function stop(given: Handle, { agentId, signal }: RuntimeContext): Promise<void> {
    const root = parseHandle(given, runtime);
    const { place, because } = placeOf(root, origin, ownNamespace);
    if (place === 'elsewhere') throw new UnreachableHandleError(`pid ${root.pid}: ${because}`);
    if (place === 'here' && !signal.aborted)
      await inTime(askTree(looker, { agentId, root }, signal), agentId, signal);
  }

  return {
    reach: 'machine',
    canForce: false,
    containment: cgroups === undefined ? 'mark' : 'cgroup',
    stop,
    kill,
    force: kill,
    inspect,
    async locate(agentId, { signal }) {
      const home = cgroups?.pathOf(agentId);
      const contained = home !== undefined && isPopulated(home);
      const found = await inTime(locate(looker, agentId, signal), agentId, signal);
      // In its cgroup, but without its mark.
      const hidden =
        found.length === 0 && contained
          ? pidsIn(home)
              .slice(0, 1)
              .flatMap((pid) => readStat(pid) ?? [])
          : [];
      return [...found, ...hidden].map(({ pid, startTime, session }) => ({
        runtime,
        pid,
        startTime,
        ...origin,
        ownSession: session === pid,
        contained,
      }));
    },
    spawnAgent: (command, args, options) =>
      spawnAgent(command, args, options, { runtime, origin, children, cgroups }),
    adopt: (pid, options) => adopt(pid, options, { runtime, origin, looker }),
    get scans() {
      return looker.scans;
    },
  };
}

/** What this cannot do the signals still do, and the inspection tells whether it was enough. */
function killQuietly(home: string): void {
  try {
    killCgroup(home);
  } catch {
    // Read-only, or not ours any more.
  }
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
