import { expect, it } from 'vitest';
import type { Handle } from './agent.ts';
import { createKillswitch } from './create-killswitch.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };

/** Every property but these throws from a moment on. */
function trapped<T extends object>(target: T, except: readonly string[]) {
  const trap = { isSet: false };
  const proxy = new Proxy(target, {
    get(whole, key) {
      if (trap.isSet && !except.includes(String(key))) throw new Error(`no ${String(key)}`);
      return Reflect.get(whole, key);
    },
  });
  return { proxy, trap };
}

const methods = ['kill', 'force', 'inspect', 'stop', 'locate', 'appliesTo', 'run'];

it.each([
  ['says nothing of itself any more', methods, ['cooperative', 'stubborn'] as const],
  ['cannot be read at all', [], [] as const],
])(
  'I5: a runtime that %s keeps no other agent alive, and is read no more than once',
  async (_, except, dead) => {
    const [memory, own] = [memoryRuntime(), memoryRuntime('bad')];
    const { proxy, trap } = trapped(own, except);
    const h = await harness({ runtimes: { bad: proxy, memory } });
    const handles: Array<[string, Handle]> = [];
    for (const behaviour of ['cooperative', 'stubborn'] as const) {
      const handle = own.spawn(behaviour);
      handles.push([behaviour, handle]);
      await h.ks.admit({
        agentId: `bad-${behaviour}`,
        taskId: behaviour,
        workspaceId: 'w1',
        ownerId: 'alice',
      });
      await h.ks.running(`bad-${behaviour}`, [handle]);
    }
    await h.ks.admit({ agentId: 'good', taskId: 'good', workspaceId: 'w1', ownerId: 'alice' });
    const good = memory.spawn();
    await h.ks.running('good', [good]);
    trap.isSet = true;
    const report = await h.during(6_000, h.ks.kill({ workspace: 'w1' }, request));
    expect(memory.isAlive(good)).toBe(false);
    expect(handles.filter(([, handle]) => !own.isAlive(handle)).map(([behaviour]) => behaviour)).toEqual(
      dead,
    );
    expect(report).toMatchObject({ total: 3, killed: 1 + dead.length, failed: 2 - dead.length });
  },
);

it('I5: nor do those of another host live on, nor those of a start that looks for its agents of an earlier life', async () => {
  const state = memoryState();
  const found = { ...memoryRuntime(), reach: 'machine' as const, locate: async () => [] };
  const { proxy, trap } = trapped(found, []);
  const b = await harness({ state, hostId: 'host-2' });
  const other = await b.agent('other');
  const early = await harness({ state, clock: b.clock, audit: b.audit, runtimes: { memory: proxy } });
  await early.ks.admit({ agentId: 'unstarted', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  await early.ks.close();
  await b.clock.advance(10);
  const options = { hostId: 'host-1', state, audit: b.audit, clock: b.clock, lastResort: () => undefined };
  const ks = createKillswitch({ ...options, runtimes: { memory: proxy } });
  trap.isSet = true;
  await ks.start();
  const report = await b.during(7_000, ks.stop({ workspace: 'w1' }, { ...request, graceMs: 1_000 }));
  expect(b.runtime.isAlive(other)).toBe(false);
  expect(report).toMatchObject({ killed: 1, failed: 1 });
});

it('I5: a cleanup step whose name and limits cannot be read any more is tried as it was', async () => {
  const names: string[] = [];
  const step = (name: string) => ({
    name,
    limits: { tries: 2, backoffMs: 10, deadlineMs: 50 },
    appliesTo: () => true,
    run: async () => {
      names.push(name);
      if (name === 'one') throw new Error('busy');
    },
  });
  const { proxy, trap } = trapped(step('one'), methods);
  const h = await harness({ cleanup: [proxy, step('two')] });
  await h.agent('a1');
  trap.isSet = true;
  const report = await h.during(500, h.ks.kill({ agent: 'a1' }, request));
  expect(report).toMatchObject({
    settled: true,
    errors: [expect.stringContaining('cleanup step one failed: Error: busy')],
  });
  expect(names).toEqual(['one', 'one', 'two']);
});
