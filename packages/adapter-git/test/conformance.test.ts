import { existsSync } from 'node:fs';
import { cleanupStepClauses } from '@agent-killswitch/conformance';
import { describe, it } from 'vitest';
import { Site } from './support/site.ts';

/** A factory of its own for each clause: a fresh repository and root. */
function factory() {
  const site = new Site();
  return {
    open: async () => site.removal(),
    async leave({ agentId }: { agentId: string }) {
      const { agent, path } = await site.worktree(agentId);
      return {
        resources: agent.resources,
        isGone: async () => !existsSync(path) && !site.registered().includes(path),
      };
    },
    async close() {
      await site.dispose();
    },
  };
}

describe('worktreeRemoval keeps the promises of a cleanup step', () => {
  for (const clause of cleanupStepClauses) it(clause.name, () => clause.run(factory()));
});
