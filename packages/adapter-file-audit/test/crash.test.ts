import { setTimeout as after } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { sampleEvents } from '../../conformance/src/audit-sink.ts';
import { fileJournal } from '../src/index.ts';
import { startChild } from './child.ts';
import { seeded } from './seeded.ts';
import { idsOf, temporaryDirectory } from './temporary.ts';

const seed = Number(process.env.SEED ?? 20_261_120);
const rounds = 25;

/** Ids `from` to `to`, without the latter. */
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

it(`keeps every acknowledged event exactly once through ${rounds} times kill -9 (I4, seed ${seed})`, async () => {
  const directory = await temporaryDirectory();
  const random = seeded(seed);
  let next = 0;
  let torn = 0;
  let unacknowledged = 0;
  for (let round = 0; round < rounds; round += 1) {
    const child = startChild('writer-child.ts', [directory, String(next), String(seed + round)]);
    const delay = random() * 60;
    let acknowledged = next;
    let tried = next;
    for await (const line of child.lines) {
      const [word, first, count] = line.split(' ');
      if (word === 'ready') void after(delay).then(() => child.process.kill('SIGKILL'));
      if (word === 'try') tried = Number(first) + Number(count);
      if (word === 'ack') acknowledged = Number(first) + Number(count);
    }
    expect(await child.ended).toBe('SIGKILL');

    const journal = fileJournal(directory, { onRepair: () => (torn += 1) });
    const found = await idsOf(journal);
    expect(found.length).toBeGreaterThanOrEqual(acknowledged);
    expect(found.length).toBeLessThanOrEqual(tried);
    expect(found).toEqual(range(0, found.length));
    unacknowledged += found.length - acknowledged;
    await journal.append(sampleEvents(acknowledged, tried - acknowledged));
    expect(await journal.head()).toEqual(
      tried === 0 ? undefined : expect.objectContaining({ seq: tried - 1 }),
    );
    await journal.close();
    next = tried;
  }
  const journal = fileJournal(directory);
  expect(await idsOf(journal)).toEqual(range(0, next));
  await journal.close();
  expect(next).toBeGreaterThan(rounds);
  console.log(`${next} events, ${torn} torn lines, ${unacknowledged} found that were not acknowledged`);
});
