import { manualClock, memoryState } from '@agent-killswitch/core/memory';
import { expect, it } from 'vitest';
import { memorySessions } from './memory-sessions.ts';
import type { SessionStore } from './session-store.ts';
import type { SessionsOptions } from './sessions-options.ts';
import { heldStore } from './testing/held-store.ts';
import { ada, adas, type Harness, harness, heeding, held, reason } from './testing/sessions-harness.ts';

/** Sessions that are kept for a hundred seconds after their end, in time that goes on by hand. */
async function kept(more: Partial<SessionsOptions> = {}) {
  const clock = manualClock();
  const made = await harness({ clock }, { clock, keepEndedMs: 100_000, ...more });
  return { ...made, clock };
}

/** Runs sessions that end at once, with a checkpoint each. */
async function ended({ sessions }: Harness, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { ended } = await sessions.start(id, adas, async ({ checkpoint }) => checkpoint(id));
    await ended;
  }
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const listed = async ({ sessions }: Harness): Promise<string[]> =>
  (await sessions.list({ limit: 1_000 })).items.map(({ sessionId }) => sessionId).toSorted();

it('forgets what has been over for long enough when another one starts; what runs is kept however old it is', async () => {
  const made = await kept();
  const { sessions, clock } = made;
  const { task, end } = held();
  const old = await sessions.start('runs', adas, task);
  await sessions.start('killed', adas, heeding);
  await sessions.kill('killed', { principal: ada, reason });
  await ended(made, ['done']);
  await clock.advance(50_000);
  await ended(made, ['recent']);
  await clock.advance(55_000);
  expect(await listed(made)).toEqual(['done', 'killed', 'recent', 'runs']);
  await ended(made, ['next']);
  await expect.poll(() => listed(made)).toEqual(['next', 'recent', 'runs']);
  const forgotten = await sessions.get('killed');
  expect(forgotten).toMatchObject({ status: 'killed', killedBy: 'ada', killReason: reason });
  expect(forgotten).not.toHaveProperty('checkpoint');
  // It counts from the end, not from the start.
  end();
  await old.ended;
  await clock.advance(101_000);
  await ended(made, ['later']);
  await expect.poll(() => listed(made)).toEqual(['later']);
});

it('looks at a few at a time, more than the one that has started', async () => {
  const inner = memorySessions();
  const limits = new Set<number>();
  const removed: string[] = [];
  const store: SessionStore = {
    ...inner,
    list: (page, workspaceId) => {
      limits.add(page.limit);
      return inner.list(page, workspaceId);
    },
    remove: async (session) => {
      removed.push(session.sessionId);
      await inner.remove(session);
    },
  };
  const made = await kept({ store });
  await ended(made, names('old', 50));
  await made.clock.advance(101_000);
  for (const [n, upTo] of [20, 40, 50].entries()) {
    await ended(made, [`next${n}`]);
    await expect.poll(() => removed.length).toBe(upTo);
  }
  expect(limits).toEqual(new Set([20]));
  expect(await listed(made)).toEqual(['next0', 'next1', 'next2']);
});

it('keeps sessions that it cannot know to be over: of another backend, or unknown to the state', async () => {
  const store = memorySessions();
  const state = memoryState();
  const clock = manualClock();
  const other = await harness({ clock, state }, { clock, store, backendId: 'others' });
  await ended(other, ['of-others']);
  await store.put({ sessionId: 'lost', workspaceId: 'w', startedAt: 0 });
  const made = await harness({ clock, state, hostId: 'host-2' }, { clock, store, keepEndedMs: 1 });
  await ended(made, ['mine']);
  await clock.advance(61_000);
  await ended(made, ['next']);
  await expect.poll(() => store.get('mine')).toBeUndefined();
  for (const id of ['of-others', 'lost']) expect(await store.get(id)).toMatchObject({ sessionId: id });
  expect(await made.sessions.forget('of-others')).toBe(false);
});

it('a store that cannot forget disturbs nothing, and is tried again', async () => {
  const inner = memorySessions();
  let isDown = true;
  const store: SessionStore = {
    ...inner,
    remove: (session) => (isDown ? Promise.reject(new Error('read-only')) : inner.remove(session)),
  };
  const warnings: string[] = [];
  const heard = ({ message }: Error): number => warnings.push(message);
  process.on('warning', heard);
  const made = await kept({ store });
  await ended(made, ['old']);
  await made.clock.advance(101_000);
  await ended(made, ['next']);
  await expect
    .poll(() => warnings)
    .toEqual([expect.stringMatching(/^Old sessions are not forgotten: .*read-only/)]);
  process.off('warning', heard);
  isDown = false;
  await made.clock.advance(61_000);
  await ended(made, ['last']);
  await expect.poll(() => listed(made)).toEqual(['last', 'next']);
});

it('one that cannot be forgotten keeps no other', async () => {
  const inner = memorySessions();
  const store: SessionStore = {
    ...inner,
    remove: (session) =>
      session.sessionId === 'b' ? Promise.reject(new Error('EISDIR')) : inner.remove(session),
  };
  const made = await kept({ store });
  await ended(made, ['a', 'b', 'c']);
  await made.clock.advance(101_000);
  await ended(made, ['next']);
  await expect.poll(() => listed(made)).toEqual(['b', 'next']);
});

it('for ever, if that is wanted; then by hand: what is over, and nothing else', async () => {
  const made = await kept({ keepEndedMs: Number.POSITIVE_INFINITY });
  const { sessions, clock } = made;
  const { task, end } = held();
  await sessions.start('runs', adas, task);
  await ended(made, ['old']);
  await clock.advance(100_000);
  await ended(made, ['next']);
  expect(await listed(made)).toEqual(['next', 'old', 'runs']);
  expect(await sessions.forget('runs')).toBe(false);
  expect(await sessions.forget('nobody')).toBe(false);
  expect(await sessions.forget(undefined as never)).toBe(false);
  expect(await sessions.forget('old')).toBe(true);
  expect(await listed(made)).toEqual(['next', 'runs']);
  end();
});

it('what is forgotten stays so: last words that are on their way are waited for', async () => {
  const { inner, store, putting, letGo } = heldStore(({ checkpoint }) => checkpoint !== undefined);
  const { sessions } = await kept({ store });
  const { ended } = await sessions.start('s1', adas, async ({ checkpoint }) => {
    void checkpoint('last words');
  });
  await putting;
  const forgotten = sessions.forget('s1');
  letGo();
  await ended;
  expect((await forgotten) || (await sessions.forget('s1'))).toBe(true);
  expect(await inner.get('s1')).toBeUndefined();
});

it('the close of the sessions ends a step that is under way', async () => {
  const inner = memorySessions();
  const removing = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const removed: string[] = [];
  const store: SessionStore = {
    ...inner,
    async remove({ sessionId }) {
      removing.resolve();
      await go.promise;
      removed.push(sessionId);
    },
  };
  const made = await kept({ store });
  await ended(made, ['a', 'b']);
  await made.clock.advance(101_000);
  await ended(made, ['next']);
  await removing.promise;
  const closed = made.sessions.close();
  go.resolve();
  await closed;
  expect(removed).toHaveLength(1);
});
