import { expect, it } from 'vitest';
import { hostileTrees } from './hostile-trees.ts';

it('40 hostile trees, killed while they grow, die whole (I1, I3)', async () => {
  const report = await hostileTrees(40, 71);
  expect(report.failures).toEqual([]);
  expect(report.processes).toBeGreaterThan(80);
});
