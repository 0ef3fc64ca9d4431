import { expect, it } from 'vitest';
import { RecentIds } from './recent-ids.ts';

it('knows as many of the newest ids as it has room for', () => {
  const ids = new RecentIds(3);
  for (let n = 0; n < 10; n += 1) {
    ids.add(`${n}`);
    const known = Array.from({ length: 10 }, (_, id) => id).filter((id) => ids.has(`${id}`));
    expect(known).toEqual([n - 2, n - 1, n].filter((id) => id >= 0));
  }
});
