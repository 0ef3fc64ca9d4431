import { describe, expect, it } from 'vitest';
import { Checkpoints } from './checkpoints.ts';
import { memorySessions } from './memory-sessions.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';
import { ada, adas, harness, heeding, held, reason, root } from './testing/sessions-harness.ts';

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

describe('a checkpoint that cannot be kept is refused by name, and the one before stays', () => {
  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a function within', { a: { f: () => 1 } }],
    ['nothing', undefined],
    ['a symbol', Symbol('s')],
    ['a bigint', { n: 1n }],
    ['a number that is none', [Number.NaN]],
    ['an infinite one', Number.POSITIVE_INFINITY],
    ['a hole in a list', [1, undefined]],
    ['a map', { m: new Map([[1, 2]]) }],
    ['an error', new Error('lost')],
    ['a circle', cyclic],
    [
      'what throws when it is read',
      {
        get a() {
          throw new Error('no');
        },
      },
    ],
    ['more levels than there is stack', JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
  ])('%s', async (_, value) => {
    const { sessions } = await harness();
    const { task, context, end } = held();
    const { ended } = await sessions.start('s1', adas, task);
    const { checkpoint } = await context;
    await checkpoint({ good: true });
    await expect(checkpoint(value)).rejects.toMatchObject({
      ...{ name: 'CheckpointNotSerialisableError', code: 'checkpoint-not-serialisable' },
      message: expect.stringMatching(/^A checkpoint has to be JSON: ./),
    });
    end();
    await ended;
    expect((await sessions.get('s1'))?.checkpoint).toMatchObject({ value: { good: true }, number: 1 });
  });

  it('one that is too large, by a byte', async () => {
    const { sessions } = await harness({}, { maxCheckpointBytes: 10 });
    const { task, context, end } = held();
    await sessions.start('s1', adas, task);
    const { checkpoint } = await context;
    await checkpoint('äääá');
    await expect(checkpoint('ääääa')).rejects.toMatchObject({
      ...{ name: 'CheckpointTooLargeError', code: 'checkpoint-too-large' },
      message: expect.stringContaining('11 bytes as JSON, of at most 10'),
    });
    expect((await sessions.get('s1'))?.checkpoint?.value).toBe('äääá');
    end();
  });
});

it('keeps the value as it was when it was given; dates as JSON writes them, undefined members not at all', async () => {
  const { sessions } = await harness();
  const { task, context, end } = held();
  await sessions.start('s1', adas, task);
  const { checkpoint } = await context;
  const value = { steps: [1], at: new Date(0), none: undefined };
  const saved = checkpoint(value);
  value.steps.push(2);
  await saved;
  expect((await sessions.get('s1'))?.checkpoint?.value).toEqual({
    steps: [1],
    at: '1970-01-01T00:00:00.000Z',
  });
  end();
});

/** A session store whose calls wait until they are let go. */
function slow(): { store: SessionStore; puts: SessionRecord[]; go: (error?: Error) => void } {
  const inner = memorySessions();
  const puts: SessionRecord[] = [];
  let waiting: Array<(error?: Error) => void> = [];
  const store: SessionStore = {
    ...inner,
    async put(record) {
      puts.push(record);
      if (record.checkpoint === undefined) return inner.put(record);
      await new Promise<void>((resolve, reject) => {
        waiting.push((error) => (error === undefined ? resolve() : reject(error)));
      });
      await inner.put(record);
    },
  };
  return {
    store,
    puts,
    go(error) {
      for (const each of waiting.splice(0)) each(error);
      waiting = [];
    },
  };
}

it('writes one at a time, and of those that come meanwhile only the newest (I12)', async () => {
  const { store, puts, go } = slow();
  const { sessions } = await harness({}, { store });
  const { task, context, end } = held();
  const { ended } = await sessions.start('s1', adas, task);
  const { checkpoint } = await context;
  const saved = Array.from({ length: 1_000 }, (_, n) => checkpoint(n));
  await new Promise(setImmediate);
  expect(puts).toHaveLength(2);
  go();
  await saved[0];
  await expect.poll(() => puts.length).toBe(3);
  go();
  await Promise.all(saved);
  end();
  await ended;
  expect(puts).toHaveLength(3);
  expect((await sessions.get('s1'))?.checkpoint).toMatchObject({ value: 999, number: 1_000 });
});

it('a store that fails is said to whoever waits; the session goes on, and the next checkpoint is kept', async () => {
  const { store, go } = slow();
  const { sessions } = await harness({}, { store });
  const { task, context, end } = held();
  const { ended } = await sessions.start('s1', adas, task);
  const { checkpoint } = await context;
  const failed = checkpoint(1);
  await new Promise(setImmediate);
  go(new Error('disk full'));
  await expect(failed).rejects.toMatchObject({
    code: 'session-store',
    message: expect.stringContaining('disk full'),
  });
  const saved = checkpoint(2);
  await new Promise(setImmediate);
  go();
  await saved;
  end();
  expect((await ended).status).toBe('fulfilled');
  expect((await sessions.get('s1'))?.checkpoint?.value).toBe(2);
});

it('a store that hangs delays the kill of its own session by two seconds at most, and of no other at all (I5)', async () => {
  const { store } = slow();
  const { sessions } = await harness({ deadlines: { forceAfter: 4_000, confirmWithin: 12_000 } }, { store });
  const hung = await sessions.start('hung', adas, (context) => {
    void context.checkpoint(1);
    return heeding(context);
  });
  const other = await sessions.start('other', adas, heeding);
  const kill = sessions.killAll({ principal: root, reason });
  const first = Promise.race([hung.ended.then(() => 'hung'), other.ended.then(() => 'other')]);
  expect(await first).toBe('other');
  expect(await kill).toMatchObject({ killed: 2 });
}, 15_000);

it('a session that cannot be put on file does not start', async () => {
  const store: SessionStore = { ...memorySessions(), put: () => Promise.reject(new Error('read-only')) };
  const { ks, sessions } = await harness({}, { store });
  let began = false;
  const task = async (): Promise<void> => {
    began = true;
  };
  await expect(sessions.start('s1', adas, task)).rejects.toMatchObject({ code: 'session-store' });
  expect(began).toBe(false);
  expect(await ks.agent('s1')).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('read-only'),
  });
  expect(await sessions.kill('s1', { principal: ada, reason })).toBe(false);
});

/** Checkpoints over a store whose first `put`s return only when they are let go, and the later ones at once. */
function hanging(first: number) {
  const kept: (string | undefined)[] = [];
  const puts: Array<{ go: (error?: Error) => void }> = [];
  const faults: Error[] = [];
  const lost: unknown[] = [];
  const hung: unknown[] = [];
  const put = async ({ checkpoint }: SessionRecord): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    puts.push({ go: resolve });
    if (puts.length > first) resolve(faults.shift());
    const error = await promise;
    if (error !== undefined) throw error;
    kept.push(checkpoint?.json);
  };
  const host = { store: { put }, lost: (e: unknown) => lost.push(e), hung: (e: unknown) => hung.push(e) };
  const checkpoints = new Checkpoints(
    { ...host, waitMs: 40 },
    { sessionId: 's1', workspaceId: 'w', startedAt: 1 },
  );
  /** Gives checkpoints until so many calls are out. */
  const hang = async (calls: number): Promise<void> => {
    while (hung.length < calls) await checkpoints.save('hangs', 1).catch(() => undefined);
  };
  return { checkpoints, kept, puts, faults, lost, hung, hang };
}

describe('a store call that does not return', () => {
  it('is given up, and later checkpoints are kept', async () => {
    const { checkpoints, kept, hang } = hanging(1);
    await expect(checkpoints.save('1', 1)).rejects.toMatchObject({
      code: 'session-store',
      message: 'Session "s1" could not be saved: Error: no answer within 40 ms',
    });
    await hang(1);
    await checkpoints.save('2', 2);
    expect(kept.at(-1)).toBe('2');
  });

  it.each([
    ['after all', undefined, ['2', 'hangs', '2']],
    ['with an error, perhaps after its effect', new Error('late'), ['2', '2']],
  ])('and returns %s: the last one wins, by being written once more', async (_, error, written) => {
    const { checkpoints, kept, puts, hang } = hanging(1);
    await hang(1);
    await checkpoints.save('2', 2);
    const before = puts.length;
    puts[0]?.go(error);
    await expect.poll(() => puts.length).toBe(before + 1);
    await checkpoints.end();
    expect(kept.slice(-written.length)).toEqual(written);
    expect(puts).toHaveLength(before + 1);
  });

  it('which is tried three times, then named as lost', async () => {
    const { checkpoints, kept, puts, faults, lost, hang } = hanging(2);
    await hang(2);
    await checkpoints.end();
    // Neither has anybody who waits for it.
    const late = new Error('late');
    const busy = new Error('busy');
    lost.length = 0;
    kept.length = 0;
    faults.push(busy, busy);
    puts[0]?.go(late);
    await expect.poll(() => kept).toEqual(['hangs']);
    expect(lost).toEqual([]);
    faults.push(busy, busy, busy);
    puts[1]?.go(late);
    await expect.poll(() => lost).toEqual([busy]);
  });

  it('doubles the pause before the next with each that is out, so that few are out at any time (I12)', async () => {
    const { checkpoints, puts, kept, hang } = hanging(3);
    const began = performance.now();
    await hang(3);
    // 40 ms each, and 40 ms before the third.
    expect(performance.now() - began).toBeGreaterThan(155);
    await expect(checkpoints.save('x', 1)).rejects.toThrow('the store has not returned from 3 calls');
    expect(puts).toHaveLength(3);
    // One that returns, even with an error, says that the store is there again.
    puts[0]?.go(new Error('late'));
    await expect.poll(() => kept).toEqual(['x']);
  });

  it('the last words are tried whatever came before', async () => {
    const { checkpoints, kept, lost, hang } = hanging(3);
    await hang(3);
    await expect(checkpoints.save('last words', 10)).rejects.toMatchObject({ code: 'session-store' });
    await checkpoints.end();
    expect(kept).toEqual(['last words']);
    expect(lost).toEqual([]);
  });
});
