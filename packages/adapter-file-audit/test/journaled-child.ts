/** Appends 30 events in front of a sink that hangs, says `appended`, and lives on: `node journaled-child.ts <directory>`. */
import { writeSync } from 'node:fs';
import { sampleEvents } from '@agent-killswitch/conformance';
import { fileJournal, journaled } from '../src/index.ts';

const [directory = ''] = process.argv.slice(2);
const sink = { append: () => new Promise<void>(() => {}), async *read() {}, heads: async () => [] };
const audit = journaled(sink, fileJournal(directory));
await audit.append(sampleEvents(0, 30));
writeSync(1, 'appended\n');
setInterval(() => {}, 1_000);
