import { stat } from 'node:fs/promises';
import { sampleEvents } from '@agent-killswitch/conformance';
import { expect, it } from 'vitest';
import { fileJournal } from '../src/index.ts';
import { nextLine, startChild } from './child.ts';
import { temporaryDirectory } from './temporary.ts';

const heap = ['--max-old-space-size=64', '--max-semi-space-size=4'];

async function reopened(directory: string): Promise<{ count: number; openMs: number; peakMb: number }> {
  const child = startChild('scale-child.ts', [directory], { node: heap });
  const answer = JSON.parse(await nextLine(child));
  expect(await child.ended).toBe(0);
  return answer;
}

it('takes 100,000 events, and opens again in bounded memory (I12)', async () => {
  const directory = await temporaryDirectory();
  const journal = fileJournal(directory);
  await journal.append(sampleEvents(0, 10_000));
  const before = (await stat(journal.path)).size;
  await journal.close();
  const small = await reopened(directory);

  const filled = fileJournal(directory);
  await filled.open();
  const batches = Array.from({ length: 90 }, (_, index) => sampleEvents(10_000 + index * 1_000, 1_000));
  const began = performance.now();
  for (const batch of batches) await filled.append(batch);
  const perSecond = Math.round(90_000 / ((performance.now() - began) / 1_000));
  const single = performance.now();
  for (const event of sampleEvents(100_000, 200)) await filled.append([event]);
  const singleMs = (performance.now() - single) / 200;
  await filled.close();
  const large = await reopened(directory);

  const megabytes = ((await stat(filled.path)).size - before) / 2 ** 20;
  console.log(
    `appended in batches of 1,000: ${perSecond}/s; one by one: ${singleMs.toFixed(2)} ms; opened ${large.count} ` +
      `records in ${Math.round(large.openMs)} ms; peak memory ${Math.round(large.peakMb)} MB, ` +
      `with a file ${Math.round(megabytes)} MB smaller ${Math.round(small.peakMb)} MB`,
  );
  expect([small.count, large.count]).toEqual([10_000, 100_200]);
  expect(large.peakMb - small.peakMb).toBeLessThan(megabytes / 2);
});
