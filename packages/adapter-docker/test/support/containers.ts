import { readdirSync, readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import { expect } from 'vitest';

/** Ignores every signal that can be ignored, with a child that does too. */
export const stubborn: readonly string[] = [
  'sh',
  '-c',
  `trap '' TERM INT HUP QUIT; sh -c "trap '' TERM INT HUP QUIT; while :; do sleep 5; done" & while :; do sleep 5; done`,
];

/** Made without any help of the package; answers the full id. */
export async function create(docker: Docker, image: string, options: object = {}): Promise<string> {
  const container = await docker.createContainer({ Image: image, Cmd: [...stubborn], ...options });
  return container.id;
}

export async function run(docker: Docker, image: string, options: object = {}): Promise<string> {
  const id = await create(docker, image, options);
  await docker.getContainer(id).start();
  // The stubborn one has a child.
  if (!('Cmd' in options))
    await expect.poll(() => pidsOf(id).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
  return id;
}

/** The living processes of containers, found without the package or the engine: by their cgroup, zombies left out. */
export function pidsOf(...containerIds: readonly string[]): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && isIn(read(`/proc/${pid}/cgroup`), containerIds))
    .filter((pid) => !/^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`) || 'State:\tX'));
}

function isIn(cgroups: string, containerIds: readonly string[]): boolean {
  return containerIds.some((id) => cgroups.includes(id));
}

export async function exists(docker: Docker, containerId: string): Promise<boolean> {
  const listed = await docker.listContainers({ all: true });
  return listed.some(({ Id }) => Id === containerId);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
