import { describe, expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import type { StateStore } from './ports/state-store.ts';
import { harness, rogue, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };

it('I9: no authorizer can let an agent principal release', async () => {
  const decide = () => ({ effect: 'allow' as const, reason: 'all is well', policyVersion: 'lax' });
  const h = await harness({ authorizer: { decide } });
  await h.during(100, h.ks.emergencyStop({ principal: rogue, reason: 'it may stop' }));
  await expect(
    h.ks.release({ everything: true }, { principal: rogue, reason: 'let me out' }),
  ).rejects.toMatchObject({
    code: 'forbidden',
  });
  await expect(h.agent('a1')).rejects.toMatchObject({ code: 'gate-closed' });
  expect(h.events('request.denied')).toMatchObject([{ action: 'release', principal: { kind: 'agent' } }]);
});

describe('a handle that comes after the end is on record', () => {
  it.each(['killed', 'failed', 'completed'] as const)(
    'I1: of a %s agent is named until it is seen dead',
    async (end) => {
      const h = await harness();
      const warnings: string[] = [];
      h.ks.on('warning', ({ message }) => warnings.push(message));
      await h.ks.admit({ agentId: 'a1', taskId: 't1', workspaceId: 'w1', ownerId: 'alice' });
      if (end === 'failed') await h.ks.failed('a1', 'no handle came');
      else if (end === 'completed') await h.ks.completed('a1');
      else {
        await h.ks.running('a1', [h.runtime.spawn()]);
        await h.during(5_000, h.ks.kill({ agent: 'a1' }, request));
      }
      const late = h.runtime.spawn('immortal');
      expect(await h.ks.running('a1', [late])).toMatchObject({ status: end });
      const report = await h.during(6_000, h.ks.kill({ everything: true }, request));
      expect(report.settled).toBe(false);
      expect(report.errors).toEqual([expect.stringMatching(new RegExp(`"a1" is on record as ${end}`))]);
      expect(warnings).toEqual([expect.stringContaining('is being destroyed')]);
      expect(await h.state.listOpenOrders()).toHaveLength(1);
      expect(await h.state.listGates()).toContainEqual(expect.objectContaining({ orderId: report.orderId }));
      h.runtime.end(late);
      await h.clock.advance(3_000);
      expect(await h.state.listOpenOrders()).toEqual([]);
      expect((await h.ks.report(report.orderId)).settled).toBe(true);
    },
  );

  it('is named when the killswitch closes', async () => {
    const h = await harness();
    await h.ks.admit({ agentId: 'a1', taskId: 't1', workspaceId: 'w1', ownerId: 'alice' });
    await h.ks.failed('a1', 'no handle came');
    await h.ks.running('a1', [h.runtime.spawn('immortal')]);
    await expect(h.during(1_000, h.ks.close())).rejects.toThrow('not seen dead');
  });
});

it('a route that is told of later is taken too', async () => {
  const h = await harness();
  const first = await h.agent('a1');
  const second = h.runtime.spawn('stubborn');
  expect((await h.ks.running('a1', [first])).handles).toHaveLength(1);
  await h.ks.running('a1', [second]);
  await h.during(6_000, h.ks.kill({ agent: 'a1' }, request));
  expect([first, second].map((handle) => h.runtime.isAlive(handle))).toEqual([false, false]);
});

it('I1: an agent that is over can be killed with the descendants that live on', async () => {
  const h = await harness();
  await h.ks.admit({ agentId: 'parent', taskId: 't1', workspaceId: 'w1', ownerId: 'alice' });
  const child = await h.agent('child', { parent: 'parent' });
  await h.ks.completed('parent');
  expect((await h.ks.preview({ agent: 'parent' }, root)).total).toBe(1);
  const report = await h.during(6_000, h.ks.kill({ agent: 'parent' }, request));
  expect(report).toMatchObject({ settled: true, killed: 1 });
  expect(h.runtime.isAlive(child)).toBe(false);
  await expect(h.ks.kill({ agent: 'parent' }, request)).rejects.toMatchObject({ code: 'invalid-transition' });
});

it.each(['completed', 'failed'] as const)(
  'I1: nobody is let in below an agent that was %s when it was killed with its descendants, not even later or elsewhere',
  async (ending) => {
    const state = memoryState();
    const h = await harness({ state });
    await h.ks.admit({ agentId: 'parent', taskId: 't1', workspaceId: 'w1', ownerId: 'alice' });
    await h.agent('child', { parent: 'parent' });
    if (ending === 'completed') await h.ks.completed('parent');
    else await h.ks.failed('parent', new Error('no memory'));
    // As long as nobody has killed it, its descendants may go on.
    await h.agent('second', { parent: 'parent' });
    const report = await h.during(6_000, h.ks.kill({ agent: 'parent' }, request));
    expect(report).toMatchObject({ settled: true, killed: 2 });
    const other = await harness({ state, hostId: 'host-2', clock: h.clock, audit: h.audit });
    for (const each of [h, other])
      await expect(each.agent('late', { parent: 'parent' })).rejects.toMatchObject({ code: 'gate-closed' });
    expect((await h.ks.agent('parent')).status).toBe(ending);
  },
);

it('I12: of an agent that had ended before it was killed one gate is left, however often that is done', async () => {
  const h = await harness();
  await h.ks.admit({ agentId: 'parent', taskId: 't1', workspaceId: 'w1', ownerId: 'alice' });
  await h.agent('child', { parent: 'parent', behaviour: 'immortal' });
  await h.ks.completed('parent');
  for (let n = 0; n < 3; n++) await h.during(6_000, h.ks.kill({ agent: 'parent' }, request));
  expect(await h.state.listGates()).toMatchObject([{ scope: { agent: 'parent' }, opens: 'never' }]);
});

it('I12: an agent that is killed leaves no gate: its own record bars whoever descends from it', async () => {
  const h = await harness();
  await h.agent('parent');
  await h.agent('child', { parent: 'parent' });
  await h.during(6_000, h.ks.kill({ agent: 'parent' }, request));
  expect(await h.state.listGates()).toEqual([]);
});

const nonsense: Array<[string, (real: StateStore) => Partial<StateStore>]> = [
  ['lists null', () => ({ listAgents: async () => null as never })],
  ['lists nonsense', () => ({ listAgents: async () => ({ items: [null, 7, {}] }) as never })],
  [
    'lists agents whose getters throw',
    () => ({
      listAgents: async () =>
        ({
          get items() {
            throw new Error('gotcha');
          },
        }) as never,
    }),
  ],
  ['does not say which claims won', () => ({ swapAgents: async () => undefined as never })],
  ['places nothing and says null', () => ({ placeOrder: async () => null as never })],
  [
    'places nothing and names no open order',
    () => ({ placeOrder: async () => ({ placed: false }) as never }),
  ],
];

it.each(nonsense)(
  'I6: a store that %s stops no kill of this host, and is said to be unavailable',
  async (_, patch) => {
    const real = memoryState();
    const broken = { is: false };
    const bad = patch(real);
    const state = patchedStore(
      real,
      Object.fromEntries(
        Object.entries(bad).map(([name, answer]) => [
          name,
          (...args: never[]) =>
            broken.is
              ? (answer as (...args: never[]) => unknown)(...args)
              : (real[name as keyof StateStore] as (...args: never[]) => unknown)(...args),
        ]),
      ),
    );
    const h = await harness({ state });
    const handle = await h.agent('a1', { behaviour: 'stubborn' });
    broken.is = true;
    const report = await h.during(6_000, h.ks.kill({ everything: true }, request));
    expect(h.runtime.isAlive(handle)).toBe(false);
    expect(report.settled).toBe(false);
    broken.is = false;
    await h.clock.advance(10_000);
    expect((await h.ks.report(report.orderId)).settled).toBe(true);
    expect(h.events('agent.killed')).toHaveLength(1);
  },
);

it('a store that gives no hints is used without', async () => {
  const state = patchedStore(memoryState(), {
    watch: () => {
      throw 'no hints here';
    },
  });
  const h = await harness({ state });
  await h.agent('a1');
  expect(await h.during(6_000, h.ks.kill({ everything: true }, request))).toMatchObject({ settled: true });
});
