import { type ProcessRuntime, workerRuntime } from '@agent-killswitch/adapter-process';
import { describeError } from '@agent-killswitch/core';
import type { Launcher } from './launcher.ts';

const file = new URL('./worker-agent.ts', import.meta.url);

/** Agents that are worker threads of the server, and end with it. The processes that they start are killed with them. */
export function workerLauncher(processes: ProcessRuntime): Launcher {
  const workers = workerRuntime({ processes });
  return {
    runtime: workers,
    async launch({ agentId, behaviour, cwd }) {
      const { handle, exited } = workers.spawnAgent(file, { agentId, data: { behaviour, cwd } });
      const ended = exited.then(({ exitCode, error }) => {
        if (error !== undefined) return describeError(error);
        return exitCode === 0 ? undefined : `exited with code ${exitCode}`;
      });
      return { handle, ended };
    },
  };
}
