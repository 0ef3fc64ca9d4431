import { expect, it } from 'vitest';
import { harness, root } from './testing/harness.ts';

it('I1, I4: a scope of more than a page is swept to its end, and all of it counted on record', async () => {
  const h = await harness();
  const count = 1_201;
  for (let n = 0; n < count; n++) await h.agent(`a${n}`, { task: 't' });
  const report = await h.during(2_000, h.ks.kill({ task: 't' }, { principal: root, reason: 'drill' }));
  expect(report).toMatchObject({ settled: true, total: count, killed: count });
  expect(h.events('order.settled')).toMatchObject([{ total: count, killed: count }]);
  const left = await h.state.listAgents('task:t', { limit: 1 });
  expect(left.items).toEqual([]);
});
