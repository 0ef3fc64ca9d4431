import { describe, expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { createKillswitch } from './create-killswitch.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };

/** A step that does as it is told, and when it was tried, in milliseconds since the first time. */
function step(name: string, limits?: CleanupStep['limits']) {
  const state = { mode: 'fails' as 'works' | 'fails' | 'hangs', tried: [] as string[] };
  const made: CleanupStep = {
    name,
    ...(limits === undefined ? {} : { limits }),
    appliesTo: () => true,
    run: async ({ agentId }: Agent) => {
      state.tried.push(agentId);
      if (state.mode === 'hangs') await new Promise(() => undefined);
      if (state.mode === 'fails') throw new Error('busy');
    },
  };
  return { made, state };
}

async function killed(steps: readonly CleanupStep[], overrides = {}) {
  const h = await harness({ cleanup: [...steps], ...overrides });
  await h.agent('a1', { task: 't' });
  const report = await h.during(30_000, h.ks.kill({ task: 't' }, { ...request, waitMs: 30_000 }));
  const ledger = async () => (await h.ks.agent('a1')).ledger;
  return { h, report, ledger };
}

describe('a cleanup step that has failed', () => {
  it('holds up the order for its tries only: it settles with the step named', async () => {
    const { made, state } = step('worktree');
    const { h, report, ledger } = await killed([made]);
    expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(report.errors).toEqual(['Agent "a1": cleanup step worktree failed: Error: busy']);
    expect(state.tried).toHaveLength(3);
    const [entry] = await ledger();
    expect(entry).toMatchObject({ status: 'failed', tries: 3, error: 'Error: busy' });
    expect(entry?.retryAt).toBeGreaterThan(h.clock.now());
  });

  it('is tried again by itself until it is done, and both stand on record once (I4)', async () => {
    const { made, state } = step('worktree');
    const { h, report, ledger } = await killed([made]);
    await h.clock.advance(20_000);
    expect(state.tried.length).toBeGreaterThan(5);
    expect(h.events('cleanup.finished')).toMatchObject([
      { status: 'failed', tries: 3, error: 'Error: busy' },
    ]);
    state.mode = 'works';
    await h.clock.advance(60_000);
    const tries = state.tried.length;
    expect(await ledger()).toEqual([{ step: 'worktree', status: 'done', tries }]);
    expect(h.events('cleanup.finished')).toMatchObject([{ status: 'failed' }, { status: 'done', tries }]);
    expect((await h.ks.report(report.orderId)).errors).toEqual([]);
    await h.clock.advance(120_000);
    expect(state.tried).toHaveLength(tries);
    expect((await h.state.listAgents('cleanup:host-1', { limit: 10 })).items).toEqual([]);
  });

  it('with pauses that double from a second to a minute, however long it fails', async () => {
    const { made, state } = step('worktree', { tries: 1, backoffMs: 500 });
    const { h, ledger } = await killed([made]);
    const pauses: number[] = [];
    let [before] = await ledger();
    for (let n = 0; n < 600_000 && pauses.length < 10; n += 1_000) {
      await h.clock.advance(1_000);
      const [entry] = await ledger();
      if (entry?.tries === before?.tries) continue;
      pauses.push((entry?.retryAt ?? 0) - h.clock.now());
      before = entry;
    }
    const rounded = pauses.map((pause) => Math.ceil(pause / 1_000));
    expect(rounded).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    expect(state.tried).toHaveLength(11);
  });

  it('the steps that are done are not run again with it', async () => {
    const [good, bad] = [step('credentials'), step('worktree')];
    good.state.mode = 'works';
    const { h, ledger } = await killed([good.made, bad.made]);
    bad.state.mode = 'works';
    await h.clock.advance(5_000);
    expect(good.state.tried).toEqual(['a1']);
    expect((await ledger()).map(({ step, status }) => [step, status])).toEqual([
      ['credentials', 'done'],
      ['worktree', 'done'],
    ]);
  });

  it('is tried again after a restart, at the time that the ledger has', async () => {
    const { made, state } = step('worktree');
    const shared = { state: memoryState(), audit: memoryAudit() };
    const { h } = await killed([made], shared);
    await h.clock.advance(20_000);
    await h.ks.close();
    const before = state.tried.length;
    await h.clock.advance(5 * 60_000);
    expect(state.tried).toHaveLength(before);
    state.mode = 'works';
    const again = createKillswitch({
      ...shared,
      hostId: 'host-1',
      runtimes: { memory: h.runtime },
      cleanup: [made],
      clock: h.clock,
    });
    await again.start();
    await h.clock.advance(10);
    expect((await again.agent('a1')).ledger).toMatchObject([{ status: 'done', tries: before + 1 }]);
    await again.close();
  });

  it('I12: one that hangs holds the order for one deadline, and has three tries open at most for ten minutes', async () => {
    const { made, state } = step('container', { deadlineMs: 2_000 });
    state.mode = 'hangs';
    const { h, report } = await killed([made]);
    expect(report).toMatchObject({ settled: true });
    expect(report.errors[0]).toContain('did not answer within 2000 ms');
    await h.clock.advance(9 * 60_000);
    expect(state.tried).toHaveLength(3);
    state.mode = 'works';
    await h.clock.advance(3 * 60_000);
    expect((await h.ks.agent('a1')).ledger).toMatchObject([{ status: 'done', tries: 4 }]);
  });

  it('of a step that is not configured any more is left to a later start', async () => {
    const { made, state } = step('worktree');
    const shared = { state: memoryState(), audit: memoryAudit() };
    const { h } = await killed([made], shared);
    await h.ks.close();
    const options = { ...shared, hostId: 'host-1', runtimes: { memory: h.runtime }, clock: h.clock };
    const without = createKillswitch(options);
    await without.start();
    await h.clock.advance(5_000);
    expect((await without.agent('a1')).ledger).toEqual([
      { step: 'worktree', status: 'failed', tries: 4, error: 'no such step is configured any more' },
    ]);
    await without.close();
    state.mode = 'works';
    const again = createKillswitch({ ...options, cleanup: [made] });
    await again.start();
    expect(await h.during(100, again.retryCleanup({ agentId: 'a1' }))).toMatchObject({ cleaned: 1 });
    await again.close();
  });
});

describe('retryCleanup', () => {
  it('tries the failed steps of an agent, or of all that an order killed, now', async () => {
    const { made, state } = step('worktree');
    const h = await harness({ cleanup: [made] });
    for (const agentId of ['a1', 'a2', 'a3']) await h.agent(agentId, { task: 't' });
    const { orderId } = await h.during(30_000, h.ks.kill({ task: 't' }, { ...request, waitMs: 30_000 }));
    await h.clock.advance(60_000);
    const failing = await h.during(100, h.ks.retryCleanup({ agentId: 'a2' }));
    expect(failing).toEqual({
      total: 1,
      cleaned: 0,
      elsewhere: 0,
      errors: ['Agent "a2": cleanup step worktree failed: Error: busy'],
    });
    state.mode = 'works';
    const before = state.tried.length;
    expect(await h.during(100, h.ks.retryCleanup({ agentId: 'a1' }))).toMatchObject({ total: 1, cleaned: 1 });
    expect(state.tried.slice(before)).toEqual(['a1']);
    const report = await h.during(100, h.ks.retryCleanup({ orderId }));
    expect(report).toEqual({ total: 2, cleaned: 2, elsewhere: 0, errors: [] });
    expect(await h.ks.retryCleanup({ orderId })).toMatchObject({ total: 0 });
    expect(h.events('cleanup.finished').filter(({ status }) => status === 'done')).toHaveLength(3);
  });

  it('leaves another host’s agents to that host, which tries at once', async () => {
    const { made, state } = step('worktree');
    const { h } = await killed([made]);
    const other = await harness({ state: h.state, hostId: 'host-2', clock: h.clock, audit: h.audit });
    await h.clock.advance(60_000);
    state.mode = 'works';
    const before = state.tried.length;
    expect(await other.ks.retryCleanup({ agentId: 'a1' })).toMatchObject({
      total: 1,
      elsewhere: 1,
      cleaned: 0,
    });
    await h.clock.advance(1_100);
    expect(state.tried).toHaveLength(before + 1);
    expect((await h.ks.agent('a1')).ledger).toMatchObject([{ status: 'done' }]);
  });

  it('refuses what it does not know, what lives, and nonsense', async () => {
    const h = await harness();
    await h.agent('a1');
    await expect(h.ks.retryCleanup({ agentId: 'nobody' })).rejects.toMatchObject({ code: 'unknown-target' });
    await expect(h.ks.retryCleanup({ orderId: 'none' })).rejects.toMatchObject({ code: 'unknown-target' });
    await expect(h.ks.retryCleanup({ agentId: 'a1' })).rejects.toMatchObject({ code: 'invalid-transition' });
    await expect(h.ks.retryCleanup({} as never)).rejects.toMatchObject({ code: 'invalid-input' });
  });
});
