import { expect, it } from 'vitest';
import { SharedRun } from './shared-run.ts';

/** Work whose every run is ended by hand. */
function byHand() {
  const started: { end: (value: string) => void; fail: (error: Error) => void }[] = [];
  const waiting: (() => void)[] = [];
  const shared = new SharedRun<string>(
    () =>
      new Promise((end, fail) => {
        started.push({ end, fail });
        waiting.shift()?.();
      }),
  );
  const nextStart = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { started, shared, nextStart };
}

it('callers of one turn share a run; those that come during it get one that starts later', async () => {
  const { started, shared, nextStart } = byHand();
  const begun = nextStart();
  const early = [shared.next(), shared.next(), shared.next()];
  await begun;
  const late = Array.from({ length: 1_000 }, () => shared.next());
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(started).toHaveLength(1);
  const again = nextStart();
  started[0]!.end('first');
  expect(await Promise.all(early)).toEqual(['first', 'first', 'first']);
  await again;
  started[1]!.end('second');
  expect(new Set(await Promise.all(late))).toEqual(new Set(['second']));
  expect(shared.runs).toBe(2);
});

it('a run that fails fails its own callers only', async () => {
  const { started, shared, nextStart } = byHand();
  const begun = nextStart();
  const early = shared.next();
  await begun;
  const late = shared.next();
  const again = nextStart();
  started[0]!.fail(new Error('no descriptors left'));
  await expect(early).rejects.toThrow('no descriptors left');
  await again;
  started[1]!.end('fine');
  expect(await late).toBe('fine');
});

it('work that throws at once is a failed run', async () => {
  const shared = new SharedRun<string>(() => {
    throw new Error('at once');
  });
  await expect(shared.next()).rejects.toThrow('at once');
  await expect(shared.next()).rejects.toThrow('at once');
});
