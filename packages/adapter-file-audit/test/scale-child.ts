/** Opens the journal in the directory, which reads and verifies all of it: says how many records there were and how much memory it took, in MB. */
import { fileJournal } from '../src/index.ts';

const journal = fileJournal(process.argv[2] ?? '');
const began = performance.now();
await journal.open();
const openMs = performance.now() - began;
const count = ((await journal.heads())[0]?.seq ?? -1) + 1;
await journal.close();
console.log(JSON.stringify({ count, openMs, peakMb: process.resourceUsage().maxRSS / 1_024 }));
