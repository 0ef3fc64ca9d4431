import { setTimeout as after } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { fileJournal } from '../src/index.ts';
import { type Child, startChild } from './child.ts';
import { largeEvents } from './large-events.ts';
import { seeded } from './seeded.ts';
import { idsOf, temporaryDirectory } from './temporary.ts';

const seed = Number(process.env.SEED ?? 20_261_120);
const rounds = 5;

/** Ids `from` to `to`, without the latter. */
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** Has the child write from event `next` on and kills it at a random point. */
async function killWriting(child: Child, next: number, roundSeed: number) {
  const random = seeded(roundSeed);
  child.say(String(next));
  const kill = (): void => void after(random() * 4).then(() => child.process.kill('SIGKILL'));
  let untilKill = Math.floor(random() * 12);
  let acknowledged = next;
  let tried = next;
  for await (const line of child.lines) {
    const [word, first, count] = line.split(' ');
    if (word === 'try') tried = Number(first) + Number(count);
    if (word === 'ack') acknowledged = Number(first) + Number(count);
    if (word !== 'ack' && untilKill-- === 0) kill();
  }
  expect(await child.ended).toBe('SIGKILL');
  return { acknowledged, tried };
}

it.each([1, 2, 3, 4, 5])(
  `keeps every acknowledged event exactly once through ${rounds} times kill -9 (I4, seed ${seed}-%i)`,
  async (nth) => {
    const firstSeed = seed + nth * 1_000;
    const directory = await temporaryDirectory();
    const seen = { torn: 0, whole: 0, lost: 0 };
    const start = (round: number): Child =>
      startChild('writer-child.ts', [directory, String(firstSeed + round)]);
    let child = start(0);
    onTestFinished(() => void child.process.kill('SIGKILL'));
    let next = 0;
    for (let round = 0; round < rounds; round += 1) {
      const { acknowledged, tried } = await killWriting(child, next, firstSeed + round);
      child = start(round + 1);
      const journal = fileJournal(directory, { onRepair: () => (seen.torn += 1) });
      const found = await idsOf(journal);
      expect(found).toEqual(range(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(acknowledged);
      expect(found.length).toBeLessThanOrEqual(tried);
      if (tried > acknowledged) seen[found.length > acknowledged ? 'whole' : 'lost'] += 1;
      await journal.append(largeEvents(acknowledged, tried - acknowledged));
      expect((await journal.heads())[0]?.seq ?? -1).toBe(tried - 1);
      await journal.close();
      next = tried;
    }
    const journal = fileJournal(directory);
    expect(await idsOf(journal)).toEqual(range(0, next));
    await journal.close();
    expect(next).toBeGreaterThan(rounds);
    console.log(`${next} events; of the appends cut short by a kill:`, seen);
  },
);
