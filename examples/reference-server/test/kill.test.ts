import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive, processesOf, type Seen } from './support/processes.ts';
import { type Answer, type Life, Site, tokens } from './support/reference-server.ts';

const behaviours = ['stubborn', 'forking', 'cooperative'];
const reason = 'it went rogue';

let site: Site;
let server: Life;
beforeAll(async () => {
  site = new Site();
  server = await site.boot();
});
afterAll(() => site.dispose());

interface Victim {
  readonly agentId: string;
  readonly taskId: string;
  readonly tree: Seen[];
}

/** 20 agents on 5 tasks, with every process of each. */
async function twenty(label: string, backendId: string): Promise<Victim[]> {
  const victims: Victim[] = [];
  for (let i = 0; i < 20; i++) {
    const taskId = `${label}-${i % 5}`;
    const behaviour = behaviours[i % 3] as string;
    const agentId = await server.spawn(tokens.mia, taskId, behaviour, { backendId });
    victims.push({ agentId, taskId, tree: [] });
  }
  // A forking agent is complete when its whole tree is there: the leader, three children and their sleeps.
  const complete = (tree: Seen[], i: number): boolean =>
    tree.length >= (behaviours[i % 3] === 'forking' ? 5 : 1);
  return Promise.all(
    victims.map(async (victim, i) => {
      let tree = processesOf(victim.agentId);
      while (!complete(tree, i)) {
        await new Promise((resolve) => setImmediate(resolve));
        tree = processesOf(victim.agentId);
      }
      return { ...victim, tree };
    }),
  );
}

const ways: Record<string, (victims: Victim[], backendId: string) => Promise<Answer[]>> = {
  'POST /api/orchestrator/tasks/:id/kill': (victims) => {
    const tasks = [...new Set(victims.map((victim) => victim.taskId))];
    return Promise.all(
      tasks.map((task) =>
        server.call('POST', `/api/orchestrator/tasks/${task}/kill`, tokens.mia, { reason }),
      ),
    );
  },
  'POST /api/orchestrator/workspaces/:id/kill-all': async () => [
    await server.call('POST', '/api/orchestrator/workspaces/demo/kill-all', tokens.adam, { reason }),
  ],
  'DELETE /api/orchestrator/backends/:id': async (_, backendId) => [
    await server.call(
      'DELETE',
      `/api/orchestrator/backends/${backendId}?reason=${encodeURIComponent(reason)}`,
      tokens.sue,
    ),
  ],
  'POST /agents/:agentId/kill': (victims) =>
    Promise.all(
      victims.map(({ agentId }) => server.call('POST', `/agents/${agentId}/kill`, tokens.mia, { reason })),
    ),
  'POST /agents/kill-all': async () => [
    await server.call('POST', '/agents/kill-all', tokens.sue, { reason }),
  ],
  'POST /api/orchestrator/emergency-stop': async () => [
    await server.call('POST', '/api/orchestrator/emergency-stop', tokens.sue, { reason }),
  ],
};

describe('20 rogue agents', () => {
  it.each(Object.keys(ways))(
    'A1–A6, B5, B6: are all dead after %s, in under 5 s, each on record',
    async (way) => {
      const label = way.replace(/[^a-z]+/gi, '-');
      const victims = await twenty(label, label);
      expect(victims.flatMap((victim) => victim.tree).filter(isAlive).length).toBeGreaterThan(40);

      const answers = await ways[way]!(victims, label);

      // Whatever was there before, and whatever carries an agent's mark now.
      expect(victims.flatMap((victim) => victim.tree).filter(isAlive)).toEqual([]);
      expect(victims.flatMap(({ agentId }) => processesOf(agentId))).toEqual([]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 200, body: { settled: true, failed: 0, errors: [] } });
        expect(answer.ms).toBeLessThan(5_000);
      }
      const outcomes = answers.flatMap((answer) => answer.body.outcomes as Array<{ agentId: string }>);
      expect(outcomes.map((outcome) => outcome.agentId).sort()).toEqual(
        victims.map((victim) => victim.agentId).sort(),
      );

      const killed = site.events().filter((event) => event.type === 'agent.killed');
      for (const { agentId, taskId } of victims) {
        const records = killed.filter((event) => event.agentId === agentId);
        expect(records).toHaveLength(1);
        expect(records[0]).toMatchObject({
          principal: { id: expect.any(String), kind: 'user' },
          reason,
          agentId,
          taskId,
          sessionIds: [agentId.replace('agt_', 'ses_')],
          statusBefore: 'running',
          evidence: expect.stringContaining('gone from /proc'),
          confirmedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        });
        const status = await server.call('GET', `/agents/${agentId}/status`, tokens.mia);
        expect(status.body).toMatchObject({
          agentId,
          taskId,
          status: 'killed',
          completedAt: expect.any(String),
        });
      }
    },
  );
});
