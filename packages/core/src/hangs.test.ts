import { expect, it } from 'vitest';
import { memoryRuntime } from './memory/memory-runtime.ts';
import type { Runtime } from './ports/runtime.ts';
import { alice, harness } from './testing/harness.ts';

const reason = 'it went rogue';
const never = (): Promise<never> => new Promise(() => undefined);

it('I5: of 100 runtimes and 100 cleanup steps that never return, every agent is forced by the force time + 500 ms, and the rest is done', async () => {
  const forcedAt: number[] = [];
  const memory = memoryRuntime();
  const runtimes: Record<string, Runtime> = { memory };
  const start = Date.UTC(2026, 0, 1);
  for (let i = 0; i < 100; i++) {
    runtimes[`hung-${i}`] = {
      reach: 'machine',
      canForce: true,
      kill: never,
      force: () => {
        forcedAt.push(h.clock.now() - start);
        return never();
      },
      inspect: never,
    };
  }
  const hung = Array.from({ length: 100 }, (_, i) => ({
    name: `hung-${i}`,
    appliesTo: () => true,
    run: never,
    limits: { deadlineMs: 10 },
  }));
  const last = { name: 'last', appliesTo: () => true, run: async () => undefined };
  const h = await harness({ runtimes, cleanup: [...hung, last] });
  const agent = { taskId: 't', workspaceId: 'w1', ownerId: 'alice' };
  for (let i = 0; i < 100; i++) {
    await h.ks.admit({ ...agent, agentId: `a${i}` });
    await h.ks.running(`a${i}`, [{ runtime: `hung-${i}` }]);
  }
  for (const agentId of ['easy', 'stubborn'] as const) {
    await h.ks.admit({ ...agent, agentId });
    await h.ks.running(agentId, [memory.spawn(agentId === 'easy' ? 'cooperative' : 'stubborn')]);
  }
  const report = await h.during(6_000, h.ks.kill({ task: 't' }, { principal: alice, reason }));
  expect(report).toMatchObject({ total: 102, killed: 2, failed: 100 });
  const failed = report.outcomes.filter(({ outcome }) => outcome === 'unconfirmed');
  expect(failed.every(({ forced }) => forced)).toBe(true);
  expect(forcedAt.length).toBeGreaterThanOrEqual(100);
  expect(Math.max(...forcedAt.slice(0, 100))).toBeLessThanOrEqual(2_500);
  for (const agentId of ['easy', 'stubborn']) {
    const { ledger } = await h.ks.agent(agentId);
    expect(ledger.filter((entry) => entry.status === 'failed')).toHaveLength(100);
    expect(ledger.at(-1)).toMatchObject({ step: 'last', status: 'done' });
  }
}, 60_000);

it('I5: one agent that hangs among 1,000 delays none', async () => {
  const h = await harness();
  const handles = [];
  for (let i = 0; i < 1_000; i++)
    handles.push(await h.agent(`a${i}`, { task: 't', behaviour: i === 500 ? 'hung' : 'cooperative' }));
  const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
  await h.clock.advance(50);
  expect(handles.filter((handle) => h.runtime.isAlive(handle))).toHaveLength(1);
  expect(h.events('agent.killed')).toHaveLength(999);
  expect(
    Math.max(
      ...h
        .events('agent.killed')
        .map((event) => Date.parse(event.confirmedAt) - Date.parse(event.requestedAt)),
    ),
  ).toBeLessThanOrEqual(20);
  expect(await h.during(6_000, kill)).toMatchObject({ total: 1_000, killed: 999, failed: 1 });
}, 60_000);
