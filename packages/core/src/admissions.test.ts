import { describe, expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import type { StateStore } from './ports/state-store.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { harness, root } from './testing/harness.ts';

/** A store that admits and then does not say so. */
function silentOnAdmission(): StateStore {
  const real = memoryState();
  return new Proxy(real, {
    get: (target, name: keyof StateStore) =>
      name === 'admit'
        ? async (agent: Parameters<StateStore['admit']>[0]) => {
            await real.admit(agent);
            throw new Error('connection reset');
          }
        : target[name]?.bind(target),
  });
}

describe('an admission that was stored but refused for want of an answer', () => {
  it('is ended by its host, which knows that it never started', async () => {
    const h = await harness({ state: silentOnAdmission() });
    await expect(h.agent('a1')).rejects.toMatchObject({ code: 'state-unavailable' });
    await h.clock.advance(1_500);
    expect(await h.state.getAgent('a1')).toMatchObject({ status: 'failed' });
  });

  it('does not keep an order open that claims it first', async () => {
    const h = await harness({ state: silentOnAdmission() });
    await expect(h.agent('a1')).rejects.toMatchObject({ code: 'state-unavailable' });
    const kill = h.ks.kill({ everything: true }, { principal: root, reason: 'drill' });
    expect(await h.during(2_500, kill)).toMatchObject({ settled: true, killed: 1, failed: 0 });
    expect(await h.state.getAgent('a1')).toMatchObject({
      status: 'killed',
      kill: { statusBefore: 'spawning' },
    });
  });
});

describe('an admission that is tried again after one that was not answered', () => {
  const newcomer = { agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };

  it('I1: is not taken for the first one, not even within one millisecond', async () => {
    const link = flakyStore(memoryState());
    const h = await harness({ state: link.state });
    link.reach = 'down';
    await expect(h.ks.admit(newcomer)).rejects.toMatchObject({ code: 'state-unavailable' });
    link.reach = 'up';
    await h.ks.admit(newcomer);
    await h.clock.advance(1_500);
    expect(await h.ks.agent('a1')).toMatchObject({ status: 'spawning' });
  });

  it('leaves the first one in doubt if that was stored', async () => {
    const real = silentOnAdmission();
    const h = await harness({ state: real });
    await expect(h.ks.admit(newcomer)).rejects.toMatchObject({ code: 'state-unavailable' });
    await expect(h.ks.admit(newcomer)).rejects.toMatchObject({ code: 'state-unavailable' });
    await h.clock.advance(1_500);
    expect(await h.ks.agent('a1')).toMatchObject({ status: 'failed' });
  });
});

describe('a child', () => {
  const child = { agentId: 'c', taskId: 'c', workspaceId: 'w1', ownerId: 'alice', parentId: 'p' };

  it('I11: is refused as if it had no parent where that is of another workspace or owner', async () => {
    const h = await harness();
    await h.agent('p');
    const unknown = { code: 'unknown-target', message: 'No agent "p"' };
    await expect(h.ks.admit({ ...child, workspaceId: 'w2' })).rejects.toMatchObject(unknown);
    await expect(h.ks.admit({ ...child, ownerId: 'bob' })).rejects.toMatchObject(unknown);
    expect((await h.ks.admit(child)).lineage).toEqual(['p']);
  });
});
