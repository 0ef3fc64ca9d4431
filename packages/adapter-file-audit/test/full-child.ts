/**
 * Fills the journal in the directory until its file may not grow, then says how many events were taken, what the last
 * append and a larger one were answered, and how many events are there after one that still fits.
 */

import { sampleEvent } from '@agent-killswitch/conformance';
import { isKillswitchError } from '@agent-killswitch/core';
import { fileJournal } from '../src/index.ts';
import { largeEvents } from './large-events.ts';

const journal = fileJournal(process.argv[2] ?? '');
const answer = (append: Promise<void>): Promise<string> =>
  append.then(
    () => 'taken',
    (error: unknown) =>
      isKillswitchError(error, 'journal-write') && 'errno' in error
        ? `${error.code} ${error.errno}`
        : String(error),
  );

let taken = 0;
let last = await answer(journal.append(largeEvents(taken, 10)));
while (last === 'taken') {
  taken += 10;
  last = await answer(journal.append(largeEvents(taken, 10)));
}
const larger = await answer(journal.append(largeEvents(taken, 100)));
await journal.append([sampleEvent(taken)]);
const [head] = await journal.heads();
for (const line of [taken, last, larger, (head?.seq ?? -1) + 1]) console.log(line);
await journal.close();
