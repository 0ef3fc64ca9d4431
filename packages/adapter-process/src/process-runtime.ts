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
import { isPopulated } from './cgroup.ts';
import { type CgroupMount, cgroupMount, forgetOwnPath } from './cgroup-mount.ts';
import { Cgroups } from './cgroups.ts';
import { Children } from './children.ts';
import { InvalidHandleError, UnreachableHandleError } from './errors.ts';
import { listHomes } from './find-homes.ts';
import { isBornInside, type ProcessHandle, parseHandle } from './handle.ts';
import { type Home, homeOf } from './home.ts';
import { inspectContained } from './inspect-contained.ts';
import { inspectTree } from './inspect-tree.ts';
import { killContained } from './kill-contained.ts';
import { killTree } from './kill-tree.ts';
import { locateAgent } from './locate-agent.ts';
import { Looker } from './looker.ts';
import { type ProcessRuntimeOptions, parseOptions } from './options.ts';
import { originHere, placeOf } from './origin.ts';
import { Quiet } from './quiet.ts';
import { SharedRun } from './shared-run.ts';
import { type SpawnedAgent, type SpawnOptions, spawnAgent } from './spawn-agent.ts';
import { stepOut } from './step-out.ts';

export interface ProcessRuntime extends Runtime {
  readonly reach: 'machine';
  readonly canForce: false;
  /**
   * What holds the agents that are spawned here. `cgroup`: the kernel; no descendant can be missed, unless it may write to the
   * cgroup file system. `mark`: their environment, lineage and sessions; see the limits in the README. An agent that another
   * host holds in a cgroup is killed by it and looked for in it all the same.
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
   * A handle for a process that already runs. It is moved with its tree into a cgroup of its own, below the one it is in; the
   * handle names that. Where it cannot be (no right to, in another pid namespace, its tree in several cgroups; `cgroup` of the
   * options) and without a mark of its own, it is known by lineage and session only: whoever may be an orphan of it then keeps
   * it from being called dead.
   * @throws InvalidHandleError, InvalidInputError, ProcUnreadableError, DeadlineError
   */
  adopt(pid: number, options: AdoptOptions): Promise<ProcessHandle>;

  /** How often all of /proc was read so far, for metrics. */
  readonly scans: number;
}

/** How long the death of others may hold up the search for an agent's processes. */
const dyingMs = 250;

/** @throws UnsupportedPlatformError where there is no Linux /proc; InvalidConfigurationError */
export function processRuntime(options: ProcessRuntimeOptions = {}): ProcessRuntime {
  const { runtime, machineId, ownNamespace, cgroup } = parseOptions(options);
  const origin = originHere(machineId);
  const looker = new Looker();
  const walks = new SharedRun(listHomes);
  const children = new Children();
  /** Reading the processes of a thousand that are dying would only hold up their deaths. */
  const dying = new Quiet(dyingMs);
  const cgroups = cgroup === 'off' ? undefined : Cgroups.here();
  const belongs = cgroupMount();

  async function kill(given: Handle, { agentId, signal }: RuntimeContext): Promise<void> {
    const root = parseHandle(given, runtime);
    const { place, because } = placeOf(root, origin, ownNamespace);
    if (place === 'gone') return;
    if (place === 'elsewhere') throw new UnreachableHandleError(`pid ${root.pid}: ${because}`);
    if (signal.aborted)
      throw new DeadlineError(`No time left to kill agent ${agentId}: nothing was signalled`);
    const home = homeToSignal(root, agentId, belongs);
    const isAccountedFor = (): boolean => home !== undefined && isBornInside(root) && isEmpty(home);
    try {
      if (home?.kind === 'here') {
        await dying.during(
          killContained(root, children, () => homeToSignal(root, agentId, belongs), belongs),
        );
        await dying.come();
      }
      await inTime(killTree(looker, { agentId, root }, signal, isAccountedFor), agentId, signal);
    } catch (thrown) {
      if (!(thrown instanceof InvalidHandleError)) children.killGroup(root.pid, root.startTime);
      throw thrown;
    }
  }

  async function inspect(given: Handle, { agentId, signal }: RuntimeContext): Promise<Observation> {
    try {
      const root = parseHandle(given, runtime);
      const { place, because } = placeOf(root, origin, ownNamespace);
      if (place === 'elsewhere') return { state: 'unknown', evidence: `pid ${root.pid}: ${because}` };
      if (place === 'gone') return { state: 'dead', evidence: `pid ${root.pid}: ${because}` };
      const target = { agentId, root };
      if (root.cgroup === undefined) return await inspectTree(looker, target, signal);
      return await inspectContained(homeOf(root.cgroup, agentId), root.cgroup, looker, target, signal);
    } catch (thrown) {
      return { state: 'unknown', evidence: describeError(thrown) };
    }
  }

  async function stop(given: Handle, { agentId, signal }: RuntimeContext): Promise<void> {
    const root = parseHandle(given, runtime);
    const { place, because } = placeOf(root, origin, ownNamespace);
    if (place === 'elsewhere') throw new UnreachableHandleError(`pid ${root.pid}: ${because}`);
    if (place === 'gone' || signal.aborted) return;
    const home = homeToSignal(root, agentId, belongs);
    const folder = home?.kind === 'here' ? home.folder : undefined;
    await inTime(askTree(looker, { agentId, root }, folder, signal), agentId, signal);
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
      const found = await inTime(locateAgent(looker, walks, agentId, signal), agentId, signal);
      return found.map(({ process: { pid, startTime, session }, cgroup }) => ({
        runtime,
        pid,
        startTime,
        ...origin,
        ownSession: session === pid,
        ...(cgroup === undefined ? {} : { cgroup }),
      }));
    },
    async spawnAgent(command, args, options) {
      const spawned = await spawnAgent(command, args, options, { runtime, origin, children, cgroups });
      looker.note(options.agentId, spawned.handle);
      return spawned;
    },
    adopt: (pid, options) => adopt(pid, options, { runtime, origin, looker, moves: cgroup === 'auto' }),
    get scans() {
      return looker.scans;
    },
  };
}

/**
 * @param belongs where this process steps out to, should the agent have pulled it into its cgroup
 * @throws InvalidHandleError also if this very process was started in the agent's cgroup, and would die with it
 */
function homeToSignal(
  { cgroup }: ProcessHandle,
  agentId: string,
  belongs: CgroupMount | undefined,
): Home | undefined {
  let home = cgroup && homeOf(cgroup, agentId);
  if (cgroup !== undefined && home?.kind === 'around' && belongs !== undefined) {
    stepOut(home.folder, belongs);
    forgetOwnPath();
    home = homeOf(cgroup, agentId);
  }
  if (home?.kind !== 'around') return home;
  throw new InvalidHandleError(
    `Agent ${agentId} holds this very process (${home.because}): end it from outside`,
  );
}

/** Whether nothing lives in the cgroup, as far as it can be seen. */
function isEmpty(home: Home): boolean {
  try {
    return home.kind === 'gone' || (home.kind === 'here' && !isPopulated(home.folder));
  } catch {
    return false;
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
