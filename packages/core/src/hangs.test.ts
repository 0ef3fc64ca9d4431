import { expect, it } from 'vitest';
import type { Runtime } from './ports/runtime.ts';
import { alice, harness } from './testing/harness.ts';

const reason = 'it went rogue';
const never = (): Promise<never> => new Promise(() => undefined);

it('I5: of 100 runtimes and 63 cleanup steps that never return, every agent is forced by the force time + 500 ms, and the rest is done', async () => {
  const forcedAt: number[] = [];
  const runtimes: Record<string, Runtime> = {};
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
  const cleanup = Array.from({ length: 63 }, (_, i) => ({
    name: `hung-${i}`,
    appliesTo: () => true,
    run: never,
    limits: { deadlineMs: 10 },
  }));
  const h = await harness({ runtimes });
  for (let i = 0; i < 100; i++) {
    await h.ks.admit({ agentId: `a${i}`, taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    await h.ks.running(`a${i}`, [{ runtime: `hung-${i}` }]);
  }
  const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
  const report = await h.during(6_000, kill);
  expect(report).toMatchObject({ total: 100, killed: 0, failed: 100 });
  expect(report.outcomes.every((outcome) => outcome.forced && outcome.outcome === 'unconfirmed')).toBe(true);
  expect(forcedAt.length).toBeGreaterThanOrEqual(100);
  expect(Math.max(...forcedAt.slice(0, 100))).toBeLessThanOrEqual(2_500);

  const cleaned = await harness({
    cleanup: [...cleanup, { name: 'last', appliesTo: () => true, run: async () => undefined }],
  });
  await cleaned.agent('a1');
  await cleaned.during(10_000, cleaned.ks.kill({ agent: 'a1' }, { principal: alice, reason }));
  const { ledger } = await cleaned.ks.agent('a1');
  expect(ledger.filter((entry) => entry.status === 'failed')).toHaveLength(63);
  expect(ledger.at(-1)).toMatchObject({ step: 'last', status: 'done' });
});

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
});
