import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanupStep } from '@agent-killswitch/core';

/** Where an agent works: one folder per agent below `root`, named by the agent's id. */
export async function makeWorkdir(root: string, agentId: string, context: unknown): Promise<string> {
  const path = join(root, agentId);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await writeFile(join(path, 'context.json'), `${JSON.stringify(context ?? {})}\n`);
  return path;
}

/** Removes an agent's working folder after its death. */
export function workdirRemoval(root: string): CleanupStep {
  return {
    name: 'workdir',
    appliesTo: (agent) => agent.resources.some((resource) => resource.kind === 'workdir'),
    // By the id, which cannot hold a separator, not by a stored path: nothing outside the root is ever removed.
    run: async (agent) => rm(join(root, agent.agentId), { recursive: true, force: true }),
  };
}
