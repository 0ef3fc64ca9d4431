/**
 * One simulated hour of a sink that is down, 100 events a second: `node outage-child.ts <directory>`. Says how much memory
 * grew, in how many files the events are, and how long it took.
 */
import { readdirSync } from 'node:fs';
import { sampleEvents } from '@agent-killswitch/conformance';
import { fileJournal, journaled } from '../src/index.ts';

const [directory = ''] = process.argv.slice(2);
const sink = {
  append: () => Promise.reject(new Error('the sink is down')),
  async *read() {},
  heads: async () => [],
};
const audit = journaled(sink, fileJournal(directory), { onNews: () => {} });
const megabytes = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss / 2 ** 20;
};

await audit.append(sampleEvents(0, 2_000));
const before = megabytes();
const began = performance.now();
for (let second = 0; second < 3_600; second += 1) await audit.append(sampleEvents(2_000 + second * 100, 100));
const seconds = Math.round((performance.now() - began) / 1_000);
const files = readdirSync(directory).filter((file) => file.endsWith('.jsonl')).length;
console.log(JSON.stringify({ grownMb: Math.round(megabytes() - before), files, seconds }));
await audit.close(0);
