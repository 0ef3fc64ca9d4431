/** What callers are told, and when, while the state store is slow or does not answer. */
import { expect, it } from 'vitest';
import { memoryState } from './memory/memory-state.ts';
import type { StateStore } from './ports/state-store.ts';
import { flakyStore } from './testing/flaky-store.ts';
import { type Harness, harness, root, stranger } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

const request = { principal: root, reason: 'drill' };
const foreign = { ...request, principal: stranger };

/** How long it took, and what was said, without the id. */
async function told(h: Harness, work: Promise<unknown>): Promise<[took: number, said: string]> {
  const since = h.clock.now();
  const said = String(await h.during(6_000, work).catch((error: unknown) => error));
  return [h.clock.now() - since, said.replaceAll(/"[^"]*"/g, '…')];
}

it.each(['down', 'hung'] as const)(
  'I11: a foreign id of this host and an unknown one look the same while the store is %s',
  async (reach) => {
    for (const scopeOf of [(id: string) => ({ agent: id }), (id: string) => ({ task: `task-${id}` })])
      for (const asks of ['kill', 'preview']) {
        const answers = [];
        for (const id of ['there', 'nobody']) {
          const link = flakyStore(memoryState());
          const h = await harness({ state: link.state });
          await h.agent('there');
          link.reach = reach;
          const ask = () =>
            asks === 'kill' ? h.ks.kill(scopeOf(id), foreign) : h.ks.preview(scopeOf(id), stranger);
          answers.push(await told(h, ask()));
          link.reach = 'up';
        }
        expect(answers[0]).toEqual(answers[1]);
      }
  },
);

it('I11: who has no part in a task that lives here waits for the store like for one that is not there', async () => {
  const real = memoryState();
  let isSlow = false;
  const getTask: StateStore['getTask'] = async (taskId) => {
    if (isSlow) await new Promise<void>((resolve) => h.clock.setTimer(20, resolve));
    return real.getTask(taskId);
  };
  const h = await harness({ state: patchedStore(real, { getTask }) });
  await h.agent('there', { task: 't' });
  isSlow = true;
  const answers = [];
  for (const task of ['t', 'nope']) answers.push(await told(h, h.ks.kill({ task }, foreign)));
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.[0]).toBe(20);
});

it('I6: whoever the authorizer lets kill from outside the workspace does so while the store is down', async () => {
  const link = flakyStore(memoryState());
  const authorizer = { decide: () => ({ effect: 'allow' as const, reason: 'on call', policyVersion: '1' }) };
  const h = await harness({ state: link.state, authorizer });
  const handles = [await h.agent('a1', { task: 't' }), await h.agent('a2')];
  link.reach = 'down';
  await h.during(100, h.ks.kill({ task: 't' }, { ...foreign, waitMs: 0 }));
  await h.during(100, h.ks.kill({ agent: 'a2' }, { ...foreign, waitMs: 0 }));
  expect(handles.filter((handle) => h.runtime.isAlive(handle))).toEqual([]);
  link.reach = 'up';
});

it.each([{ task: 't' }, { agent: 'a1' }, { workspace: 'w1' }, { everything: true }] as const)(
  'B6: a kill of %o keeps its caller no longer than they said, and one look at the store, however it hangs',
  async (scope) => {
    const link = flakyStore(memoryState());
    const h = await harness({ state: link.state });
    await h.agent('a1', { task: 't', behaviour: 'immortal' });
    link.reach = 'hung';
    const [took] = await told(h, h.ks.kill(scope, { ...request, waitMs: 3_000 }));
    expect(took).toBeLessThanOrEqual(3_500);
    link.reach = 'up';
  },
);
