import { transferableAbortController } from 'node:util';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { parseAgentId } from './agent-id.ts';
import { SpawnFailedError, systemCode } from './errors.ts';
import type { HostedHandle } from './hosted-handle.ts';
import { type HostedRuntime, hosted } from './hosted-runtime.ts';
import { markVariable } from './mark.ts';
import { type HostedRuntimeOptions, parseHostedOptions } from './options.ts';
import type { ProcessRuntime } from './process-runtime.ts';
import { withChildren } from './worker-children.ts';

export interface WorkerRuntimeOptions extends HostedRuntimeOptions {
  /**
   * The runtime that finds and kills processes which workers have started, by the mark in their environment. Default: none;
   * then a worker is over when its thread is, and its processes live on.
   */
  readonly processes?: ProcessRuntime;
}

/** As for `new Worker`; what the agent is given as `workerData` is a {@link WorkerAgentData}. */
export interface WorkerAgentOptions extends Omit<WorkerOptions, 'workerData' | 'env'> {
  readonly agentId: string;
  /** Cloned into the worker. */
  readonly data?: unknown;
  /** Default: a copy of this process's. The agent's mark is added to it, for processes that the worker starts. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What `workerData` is in a worker that is an agent. */
export interface WorkerAgentData {
  readonly agentId: string;
  /** Aborts when the agent is told to end; `signal.reason` is an `Error` that says why. It keeps no worker alive. */
  readonly signal: AbortSignal;
  readonly data: unknown;
}

export interface WorkerAgent {
  readonly handle: HostedHandle;
  readonly worker: Worker;
  /** The end of the thread. Never rejects. */
  readonly exited: Promise<{ readonly exitCode: number; readonly error?: unknown }>;
}

export interface WorkerRuntime extends HostedRuntime {
  /**
   * Starts a worker thread as an agent.
   * @throws SpawnFailedError (what is given cannot be cloned, bad options), InvalidInputError
   */
  spawnAgent(file: string | URL, options: WorkerAgentOptions): WorkerAgent;
}

/**
 * The runtime for agents that are worker threads of this process. `stop` aborts their signal; `kill` does so and terminates
 * the thread, in a `for(;;)` too. Its death is its `exit` event, after which the thread is gone.
 * @throws InvalidConfigurationError
 */
export function workerRuntime({ processes, ...options }: WorkerRuntimeOptions = {}): WorkerRuntime {
  const { runtime, add } = hosted(parseHostedOptions('worker', options));
  return {
    ...(processes === undefined ? runtime : withChildren(runtime, processes)),
    spawnAgent(file, options) {
      const agentId = parseAgentId(options.agentId);
      const controller = transferableAbortController();
      const worker = start(file, { ...options, agentId }, controller.signal);
      const name = `worker thread ${worker.threadId} of process ${process.pid}`;
      const { handle, end } = add({
        agentId,
        evidence: `${name} has not exited`,
        abort: (reason) => controller.abort(reason),
        // Resolves on exit, which is observed below.
        terminate: () => void worker.terminate(),
      });
      let error: { readonly error?: unknown } = {};
      worker.on('error', (thrown) => {
        error = { error: thrown };
      });
      const exited = new Promise<number>((resolve) => worker.once('exit', resolve)).then((exitCode) => {
        end(`${name} exited with code ${exitCode}`);
        return { exitCode, ...error };
      });
      return { handle, worker, exited };
    },
  };
}

function start(
  file: string | URL,
  { agentId, data, env = process.env, transferList = [], ...options }: WorkerAgentOptions,
  signal: AbortSignal,
): Worker {
  const workerData: WorkerAgentData = { agentId, signal, data };
  try {
    return new Worker(file, {
      ...options,
      env: { ...onlySet(env), [markVariable]: agentId },
      workerData,
      transferList: [...transferList, signal],
    });
  } catch (cause) {
    const why = systemCode(cause) ?? 'what it is given cannot be cloned';
    throw new SpawnFailedError(`Cannot start agent ${agentId} as a worker thread: ${why}`, { cause });
  }
}

/** `Worker` would hand on the word "undefined". */
function onlySet(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
