import { expect, it } from 'vitest';
import { OnceAtATime } from './once-at-a-time.ts';

it('shares what is under way, per key, and begins anew when it has ended, in error too', async () => {
  const once = new OnceAtATime();
  const begun: string[] = [];
  let fail = (_: Error): void => {};
  const work = (key: string) => () => {
    begun.push(key);
    return new Promise<void>((_, reject) => {
      fail = reject;
    });
  };
  const first = once.run('a', work('a'));
  expect(once.run('a', work('a'))).toBe(first);
  void once.run('b', async () => void begun.push('b'));
  expect(begun).toEqual(['a', 'b']);
  fail(new Error('no'));
  await expect(first).rejects.toThrow('no');
  await once.run('a', async () => void begun.push('a again'));
  expect(begun).toEqual(['a', 'b', 'a again']);
});
