import { createKillswitch } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { expect, it } from 'vitest';
import { killOwnAgents } from '../src/kill-own-agents.ts';

it('a shutdown names the agents that will not die, and kills the others', async () => {
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'server',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
    deadlines: { forceAfter: 50, confirmWithin: 200 },
  });
  await ks.start();
  for (const behaviour of ['stubborn', 'immortal'] as const) {
    await ks.admit({ agentId: behaviour, taskId: 't', workspaceId: 'w', ownerId: 'ada' });
    await ks.running(behaviour, [runtime.spawn(behaviour)]);
  }
  await expect(killOwnAgents(ks)).rejects.toThrow('Not confirmed dead: immortal.');
  expect((await ks.agent('stubborn')).status).toBe('killed');
  // Asked again while that kill goes on, it is still so.
  await expect(killOwnAgents(ks)).rejects.toThrow('Not confirmed dead: immortal.');
  await ks.close();
});
