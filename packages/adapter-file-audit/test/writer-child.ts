/**
 * Appends batches of seeded sizes for ever: `node writer-child.ts <directory> <first id> <seed>`. Says `ready` before it
 * opens the journal, `try <first> <count>` before and `ack <first> <count>` after each append.
 */
import { writeSync } from 'node:fs';
import { fileJournal } from '../src/index.ts';
import { largeEvents } from './large-events.ts';
import { seeded } from './seeded.ts';

const [directory = '', start = '0', seed = '0'] = process.argv.slice(2);
const random = seeded(Number(seed));
const say = (line: string): number => writeSync(1, `${line}\n`);

say('ready');
const journal = fileJournal(directory);
for (let first = Number(start); ; ) {
  const count = 1 + Math.floor(random() ** 2 * 200);
  const events = largeEvents(first, count);
  say(`try ${first} ${count}`);
  await journal.append(events);
  say(`ack ${first} ${count}`);
  first += count;
}
