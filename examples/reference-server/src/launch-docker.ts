import { containerResource } from '@agent-killswitch/adapter-docker';
import { scripts } from './behaviours.ts';
import type { Launcher } from './launcher.ts';
import type { Sandboxes } from './sandboxes.ts';

/** Agents that are containers, one each, with limits. They outlive a crash of the server. */
export function dockerLauncher({ docker, runtime, image }: Sandboxes): Launcher {
  return {
    runtime,
    resources: [containerResource],
    async launch({ agentId, behaviour, cwd, killswitch }) {
      const { handle, containerId } = await runtime.sandbox(killswitch, {
        agentId,
        image,
        command: ['sh', '-c', scripts[behaviour]],
        memoryBytes: 256 * 1024 * 1024,
        cpus: 1,
        binds: [`${cwd}:/work`],
        workingDir: '/work',
      });
      const waited: Promise<{ readonly StatusCode: number }> = docker.getContainer(containerId).wait();
      const ended = waited.then(
        ({ StatusCode }) => (StatusCode === 0 ? undefined : `exited with ${StatusCode}`),
        () => 'its container is gone: its exit status is not known',
      );
      return { handle, ended, isEnrolled: true };
    },
  };
}
