import type { ProcessRuntime } from '@agent-killswitch/adapter-process';
import { scripts } from './behaviours.ts';
import type { Launcher } from './launcher.ts';

/** Agents that are shells and what they start. They outlive a crash of the server. */
export function processLauncher(processes: ProcessRuntime): Launcher {
  return {
    runtime: processes,
    async launch({ agentId, behaviour, cwd }) {
      const { handle, exited } = await processes.spawnAgent('/bin/sh', ['-c', scripts[behaviour]], {
        agentId,
        cwd,
      });
      const ended = exited.then(({ code, signal }) =>
        code === 0 ? undefined : `exited with ${signal ?? code}`,
      );
      return { handle, ended };
    },
  };
}
