import type { Agent, LedgerEntry } from '@agent-killswitch/core';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { everyItem, expectIds, inScope } from './state-store-pages.ts';
import {
  admitted,
  agentOf,
  changed,
  claimed,
  completed,
  expectSame,
  failed,
  killed,
  running,
} from './state-store-records.ts';

const entry = (step: string, status: LedgerEntry['status'] = 'pending'): LedgerEntry => ({
  step,
  status,
  tries: status === 'pending' ? 0 : 1,
});
const pending = [entry('container'), entry('worktree')];

function ledgered(...ledger: LedgerEntry[]) {
  return (agent: Agent): Agent => ({ ...agent, revision: agent.revision + 1, ledger });
}

export const hostClauses: readonly StateStoreClause[] = [
  clause(
    'listAgents lists a host’s live agents under its host key, and none that has ended',
    async ({ store }) => {
      const lives = { spawning: [], running: [running], killing: [running, claimed] };
      const ends = { completed: [completed], failed: [running, failed], killed: [claimed, killed] };
      for (const [id, steps] of Object.entries({ ...lives, ...ends })) {
        const [agent] = (await admitted(store, agentOf(id, { hostId: 'h1', ledger: pending }))) as [Agent];
        await changed(store, agent, ...steps);
      }
      await admitted(store, agentOf('other', { hostId: 'h2' }));
      expectIds(await inScope(store, 'host:h1'), Object.keys(lives), 'host:h1');
      expectIds(await inScope(store, 'host:h2'), ['other'], 'host:h2');
      expectIds(await inScope(store, 'host:h'), [], 'host:h');
    },
  ),

  clause(
    'listAgents lists an ended agent under its host’s cleanup key while a step is pending',
    async ({ store }) => {
      const ends = { completed: [completed], failed: [running, failed], killed: [claimed, killed] };
      for (const [id, steps] of Object.entries(ends)) {
        const [agent] = (await admitted(store, agentOf(id, { hostId: 'h1', ledger: pending }))) as [Agent];
        expectIds(await inScope(store, 'cleanup:h1'), [], 'cleanup:h1 while the agent lives');
        const ended = await changed(store, agent, ...steps);
        expectIds(await inScope(store, 'cleanup:h1'), [id], 'cleanup:h1 after its end');
        const half = await changed(store, ended, ledgered(entry('container', 'done'), entry('worktree')));
        expectSame(await inScope(store, 'cleanup:h1'), [half], 'cleanup:h1 with one step left');
        await changed(store, half, ledgered(entry('container', 'done'), entry('worktree', 'failed')));
        expectIds(await inScope(store, 'cleanup:h1'), [], 'cleanup:h1 with nothing left');
      }
      const [bare] = (await admitted(store, agentOf('bare', { hostId: 'h1' }))) as [Agent];
      await changed(store, bare, completed);
      expectIds(await inScope(store, 'cleanup:h1'), [], 'cleanup:h1 with an agent that had no steps');
    },
  ),

  clause('a host’s keys are no other host’s, and no scope’s', async ({ store }) => {
    const hosts = ['h', 'H', 'h:h', 'host:h', 'cleanup:h', 'everything', 'task:h'];
    for (const hostId of hosts) {
      const ids = { taskId: hostId, workspaceId: hostId, backendId: hostId, ledger: pending, hostId };
      const [, ended] = (await admitted(
        store,
        agentOf(`live-${hostId}`, ids),
        agentOf(`ended-${hostId}`, ids),
      )) as [Agent, Agent];
      await changed(store, ended, completed);
    }
    for (const hostId of hosts) {
      expectIds(await inScope(store, `host:${hostId}`), [`live-${hostId}`], `host:${hostId}`);
      expectIds(await inScope(store, `cleanup:${hostId}`), [`ended-${hostId}`], `cleanup:${hostId}`);
      expectIds(await inScope(store, `task:${hostId}`), [`live-${hostId}`], `task:${hostId}`);
    }
  }),

  clause('a cleanup that finishes what each page lists reaches every agent', async ({ store }) => {
    const agents = Array.from({ length: 30 }, (_, n) => agentOf(`a${(n * 17) % 30}`, { ledger: pending }));
    await admitted(store, ...agents);
    for (const agent of agents) await changed(store, agent, completed);
    const listed = await everyItem(
      (page) => store.listAgents('cleanup:h', page),
      4,
      async (items) => {
        for (const agent of items) await changed(store, agent, ledgered(entry('container', 'done')));
      },
    );
    expectIds(
      listed,
      agents.map((agent) => agent.agentId),
      'the cleanup',
    );
  }),

  clause(
    'a host finds its live agents and its pending cleanups after a restart (I4)',
    async ({ store, reopen }) => {
      const [, ended] = (await admitted(
        store,
        agentOf('live', { ledger: pending }),
        agentOf('ended', { ledger: pending }),
      )) as [Agent, Agent];
      const left = await changed(store, ended, completed);
      const again = await reopen();
      expectIds(await inScope(again, 'host:h'), ['live'], 'host:h');
      expectIds(await inScope(again, 'cleanup:h'), ['ended'], 'cleanup:h');
      await changed(again, left, ledgered(entry('container', 'done')));
      expectIds(await inScope(again, 'cleanup:h'), [], 'cleanup:h after the cleanup');
    },
    'reopen',
  ),
];
