import { describe, expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import type { StateStore } from './ports/state-store.ts';
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
