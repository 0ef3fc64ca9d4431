import { expect, it } from 'vitest';
import { harness, root } from './testing/harness.ts';

const [carl, dora] = [
  { ...root, id: 'carl' },
  { ...root, id: 'dora' },
];
const everything = { everything: true } as const;
const press = { principal: root, reason: 'drill', waitMs: 0 };
const twoPeople = { release: { approvals: 2 } };

it('I9: an approval does not count once somebody has stopped anew and joined what it is about', async () => {
  const h = await harness(twoPeople);
  await h.agent('a1', { behaviour: 'immortal' });
  const { orderId } = await h.ks.emergencyStop(press);
  expect(await h.ks.release(everything, { principal: root, reason: 'a false alarm' })).toMatchObject({
    released: false,
  });
  expect(await h.ks.emergencyStop({ ...press, principal: carl })).toMatchObject({ orderId });
  expect(await h.ks.release(everything, { principal: dora, reason: 'fixed' })).toMatchObject({
    released: false,
    approvals: [{ principal: { id: 'dora' }, orderIds: [orderId] }],
  });
  await expect(h.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });

  // Who has approved before may do so again, knowing of it.
  expect(await h.ks.release(everything, { principal: root, reason: 'fixed' })).toMatchObject({
    released: true,
    approvals: [{ principal: { id: 'dora' } }, { principal: { id: 'root' } }],
  });
  expect(h.events('gate.released')).toMatchObject([
    { approvedBy: [{ id: 'dora' }, { id: 'root' }], orderIds: [orderId] },
  ]);
});

it('I9: each joining takes back what was approved before it, also what was approved between two', async () => {
  const h = await harness(twoPeople);
  await h.agent('a1', { behaviour: 'immortal' });
  await h.ks.emergencyStop(press);
  for (const principal of [carl, dora]) {
    await h.ks.emergencyStop(press);
    expect(await h.ks.release(everything, { principal, reason: 'fixed' })).toMatchObject({ released: false });
  }
});

it('I9: that its order settles takes no approval back', async () => {
  const h = await harness(twoPeople);
  const handle = await h.agent('a1', { behaviour: 'immortal' });
  const { orderId } = await h.ks.emergencyStop(press);
  await h.ks.emergencyStop(press);
  await h.ks.release(everything, { principal: carl, reason: 'fixed' });
  h.runtime.end(handle);
  await h.clock.advance(2_000);
  expect(await h.ks.order(orderId)).toMatchObject({ settledAt: expect.any(Number), joins: 1 });
  expect(await h.ks.release(everything, { principal: dora, reason: 'fixed' })).toMatchObject({
    released: true,
  });
});
