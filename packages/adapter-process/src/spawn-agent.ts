import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseAgentId } from './agent-id.ts';
import type { Cgroups } from './cgroups.ts';
import type { Children } from './children.ts';
import { SpawnFailedError, systemCode } from './errors.ts';
import { findProgram } from './find-program.ts';
import type { ProcessHandle } from './handle.ts';
import { joinCgroup } from './join-cgroup.ts';
import type { MadeCgroup } from './make-home.ts';
import { markVariable } from './mark.ts';
import type { Origin } from './origin.ts';
import { readStat } from './proc.ts';

export interface SpawnOptions {
  readonly agentId: string;
  /** Default: this process's. */
  readonly cwd?: string;
  /**
   * Default: this process's. The mark is added to it. On its way into a cgroup a shell hands it on, which drops variables
   * whose names are not made of letters, digits and `_`, and may set `PWD`.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** As for `child_process.spawn`, but by default `ignore`: a pipe that nobody reads stops the agent when it is full. */
  readonly stdio?: StdioOptions;
}

export interface SpawnedAgent {
  readonly handle: ProcessHandle;
  readonly child: ChildProcess;
  /** The end of the first process; its descendants may live on. Never rejects. */
  readonly exited: Promise<AgentExit>;
}

export interface AgentExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnContext {
  readonly runtime: string;
  readonly origin: Origin;
  readonly children: Children;
  readonly cgroups: Cgroups | undefined;
}

export async function spawnAgent(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  context: SpawnContext,
): Promise<SpawnedAgent> {
  parseAgentId(options.agentId);
  const { cgroups } = context;
  const made = cgroups && makeCgroup(cgroups, command, options);
  const release = (): void => {
    if (made !== undefined) cgroups?.release(made);
  };
  const [file, argv] = made === undefined ? [command, args] : joinCgroup(made.folder, made.program, args);
  let child: ChildProcess;
  try {
    child = start(file, argv, options);
  } catch (thrown) {
    release();
    throw thrown;
  }
  const { pid } = child;
  if (pid === undefined) {
    release();
    throw await failureOf(child, command);
  }
  child.once('exit', release);
  const exited = new Promise<AgentExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  // A later failure (of `child.kill()` or `child.send()`) is reported as an event, which unheard would end this process.
  child.on('error', () => {});
  const handle = handleOf(pid, context, made);
  context.children.add(pid, handle?.startTime, child);
  if (handle !== undefined) return { handle, child, exited };
  context.children.killGroup(pid, undefined);
  throw new SpawnFailedError(`Started "${command}" and killed it: it cannot be identified in /proc`);
}

/** The program is looked for before the cgroup is made: the shell would only report it by its exit status. */
function makeCgroup(
  cgroups: Cgroups,
  command: string,
  { agentId, cwd, env = process.env }: SpawnOptions,
): MadeCgroup & { readonly program: string } {
  const program = findProgram(command, env.PATH, cwd ?? process.cwd());
  if (typeof program !== 'string') {
    throw new SpawnFailedError(`Cannot start "${command}": ${program.code}`, { cause: program });
  }
  try {
    return { ...cgroups.create(agentId), program };
  } catch (cause) {
    const why =
      systemCode(cause) === 'EEXIST' ? 'it has one already' : (systemCode(cause) ?? 'unknown error');
    throw new SpawnFailedError(`Cannot start "${command}" in a cgroup for agent ${agentId}: ${why}`, {
      cause,
    });
  }
}

function start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const { agentId, cwd, env = process.env, stdio = 'ignore' } = options;
  try {
    return spawn(command, args, {
      // Its own session and process group (setsid), in place before the command runs.
      detached: true,
      env: { ...env, [markVariable]: agentId },
      stdio,
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (cause) {
    throw new SpawnFailedError(`Cannot start "${command}": ${systemCode(cause) ?? 'bad arguments'}`, {
      cause,
    });
  }
}

async function failureOf(child: ChildProcess, command: string): Promise<SpawnFailedError> {
  const [cause]: unknown[] = await once(child, 'error');
  return new SpawnFailedError(`Cannot start "${command}": ${systemCode(cause) ?? 'unknown error'}`, {
    cause,
  });
}

/** Until control returns to the event loop nobody reaps the child, so its pid cannot be another's here. */
function handleOf(
  pid: number,
  { runtime, origin }: SpawnContext,
  made: MadeCgroup | undefined,
): ProcessHandle | undefined {
  try {
    const stat = readStat(pid);
    if (stat === undefined) return undefined;
    const identity = { runtime, pid, startTime: stat.startTime, ...origin, ownSession: stat.session === pid };
    return made === undefined ? identity : { ...identity, cgroup: made.ref };
  } catch {
    return undefined;
  }
}
