import { sampleEvents } from '@agent-killswitch/conformance';
import { expect, it } from 'vitest';
import { AppendQueue } from './append-queue.ts';

/** A write that ends when it is told to; `groups` are the ids it was given. */
function controlled() {
  const groups: number[][] = [];
  const open: { resolve(): void; reject(error: Error): void }[] = [];
  return {
    groups,
    write: (events: readonly { id: string }[]) =>
      new Promise<void>((resolve, reject) => {
        groups.push(events.map((event) => Number(event.id)));
        open.push({ resolve, reject });
      }),
    next() {
      const first = open.shift();
      if (first === undefined) throw new Error('nothing is being written');
      return first;
    },
  };
}

/** Lets everything happen that needs no outside event. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('writes together what waits, whole appends in order, one write at a time', async () => {
  const { groups, write, next } = controlled();
  const queue = new AppendQueue(1_000, write);
  const first = queue.add(sampleEvents(0, 1));
  await turn();
  const second = queue.add(sampleEvents(1, 2));
  const third = queue.add(sampleEvents(3, 1));
  await turn();
  expect(groups).toEqual([[0]]);
  next().resolve();
  await first;
  await turn();
  expect(groups).toEqual([[0], [1, 2, 3]]);
  next().reject(new Error('the disk is gone'));
  await expect(second).rejects.toThrow('the disk is gone');
  await expect(third).rejects.toThrow('the disk is gone');
});

it('splits groups at 1,000 events, and lets one larger append go alone', async () => {
  const { groups, write, next } = controlled();
  const queue = new AppendQueue(1_000, write);
  const appends = [600, 400, 1, 1_500].map((count) => queue.add(sampleEvents(0, count)));
  for (let n = 0; n < 3; n += 1) {
    await turn();
    next().resolve();
  }
  await Promise.all(appends);
  expect(groups.map((group) => group.length)).toEqual([1_000, 1, 1_500]);
});

it('takes an append that is made the moment another one ends', async () => {
  const queue = new AppendQueue(500, async () => {});
  let count = 0;
  const chained = async (): Promise<void> => {
    for (let n = 0; n < 500; n += 1) {
      await queue.add(sampleEvents(n, 1));
      count += 1;
    }
  };
  await Promise.all([chained(), chained().then(() => chained())]);
  expect(count).toBe(1_500);
});

it('rejects at the deadline, and then begins nothing of what still waited', async () => {
  const { groups, write, next } = controlled();
  const queue = new AppendQueue(30, write);
  const answers = await Promise.allSettled(
    [0, 1].map((n) => turn().then(() => queue.add(sampleEvents(n, 1)))),
  );
  expect(answers).toMatchObject([0, 1].map(() => ({ status: 'rejected', reason: { code: 'ETIMEDOUT' } })));
  const late = queue.add(sampleEvents(2, 1)).catch((error: unknown) => error);
  expect(await late).toMatchObject({ code: 'ETIMEDOUT' });
  const last = queue.add(sampleEvents(3, 1));
  next().resolve();
  await turn();
  next().resolve();
  await last;
  expect(groups.flat()).not.toContain(2);
  expect(groups.flat()).toContain(3);
});

it('refuses more than 20,000 waiting events (I12)', async () => {
  const { write, next } = controlled();
  const queue = new AppendQueue(5_000, write);
  const first = queue.add(sampleEvents(0, 1));
  await turn();
  const waiting = queue.add(sampleEvents(0, 19_999));
  await expect(queue.add(sampleEvents(0, 2))).rejects.toMatchObject({ code: 'EAGAIN' });
  const fits = queue.add(sampleEvents(0, 1));
  for (const _ of [1, 2, 3]) {
    next().resolve();
    await turn();
  }
  await Promise.all([first, waiting, fits, queue.idle()]);
});
