/**
 * `node lock-child.ts <directory>`: says `ready`; at each line of input tries to open the journal and says `won` or the
 * error's code and message. Keeps it open until it is killed.
 */
import { createInterface } from 'node:readline';
import { isKillswitchError } from '@agent-killswitch/core';
import { fileJournal } from '../src/index.ts';

const journal = fileJournal(process.argv[2] ?? '');
console.log('ready');
for await (const _ of createInterface({ input: process.stdin })) {
  await journal.open().then(
    () => console.log('won'),
    (error: unknown) =>
      console.log(isKillswitchError(error) ? `${error.code} ${error.message}` : String(error)),
  );
}
