import {
  containerRemoval,
  type DockerRuntime,
  dockerRuntime,
  sweepOrphans,
} from '@agent-killswitch/adapter-docker';
import { type CleanupStep, describeError, type Killswitch } from '@agent-killswitch/core';
import Docker from 'dockerode';

const sweepEveryMs = 10 * 60_000;

/** The Docker engine in which agents can be containers: the one that `DOCKER_HOST` names, or the machine's. */
export interface Sandboxes {
  readonly docker: Docker;
  readonly runtime: DockerRuntime;
  readonly removal: CleanupStep;
  /** What the engine runs them of: anything with a shell. */
  readonly image: string;
  /** Removes what a crash has left behind, now and every ten minutes. What it returns ends that. */
  sweep(killswitch: Killswitch): () => void;
}

/** @param installation one state folder, whose containers these are */
export function sandboxesOf(image: string, installation: string): Sandboxes {
  const docker = new Docker();
  return {
    docker,
    runtime: dockerRuntime(docker, { installation }),
    removal: containerRemoval(docker, { installation }),
    image,
    sweep(killswitch) {
      const round = (): void => {
        sweepOrphans(docker, { killswitch, installation }).catch((error: unknown) =>
          console.error(`Containers that nobody owns were not looked for: ${describeError(error)}`),
        );
      };
      round();
      const timer = setInterval(round, sweepEveryMs);
      return () => clearInterval(timer);
    },
  };
}
