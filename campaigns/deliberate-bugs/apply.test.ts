import { expect, test } from 'vitest';
import { runTests } from '../changed-core/run-tests.ts';
import { apply } from './apply.ts';
import type { DeliberateBug } from './deliberate-bug.ts';
import { deliberateBugs } from './index.ts';

const bug = (from: string): DeliberateBug => ({
  name: 'a bug',
  invariant: 'I1',
  noticedBy: 'core/src/ids.test.ts',
  edits: [{ file: 'ids.ts', from, to: '' }],
});

test.each([
  ['function ', 3],
  ['not there', 0],
])('a text has to stand exactly once in its file: %j', (text, times) => {
  expect(() => apply(bug(text))).toThrow(`stands ${times} times`);
});

test.each(deliberateBugs.map((each) => [each.name, each] as const))('can be made: %s', (_, each) => {
  expect(apply(each).size).toBeGreaterThan(0);
});

test('there are enough, of every invariant but I8, and no two of one name', () => {
  expect(new Set(deliberateBugs.map(({ name }) => name)).size).toBe(deliberateBugs.length);
  expect(deliberateBugs.length).toBeGreaterThanOrEqual(20);
  expect(new Set(deliberateBugs.map(({ invariant }) => invariant)).size).toBe(11);
});

test('tests run against a core that was changed in memory only', async () => {
  const files = ['core/src/ids.test.ts'];
  expect(await runTests(files, new Map(), { timeoutMs: 1_000 })).toEqual({ passed: 2, failed: [] });
  const changes = apply(bug('  let text = timePart(at);\n'));
  expect((await runTests(files, changes, { timeoutMs: 1_000 })).failed).not.toEqual([]);
});
