/**
 * Appends batches of seeded sizes for ever: `node writer-child.ts <directory> <seed>`. Waits for the first id on its
 * input, says `ready`, then opens the journal; says `try <first> <count>` before and `ack <first> <count>` after each
 * append.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { fileJournal } from '../src/index.ts';
import { largeEvents } from './large-events.ts';
import { seeded } from './seeded.ts';

const [directory = '', seed = '0'] = process.argv.slice(2);
const random = seeded(Number(seed));
const say = (line: string): number => writeSync(1, `${line}\n`);

const [start] = await once(process.stdin, 'data');
say('ready');
const journal = fileJournal(directory);
for (let first = Number(String(start)); ; ) {
  const count = 1 + Math.floor(random() ** 2 * 40);
  const events = largeEvents(first, count);
  say(`try ${first} ${count}`);
  await journal.append(events);
  say(`ack ${first} ${count}`);
  first += count;
}
