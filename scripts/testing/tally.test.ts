import { expect, test } from 'vitest';
import { askedFor } from './needed-services.ts';
import { exitCode, tallyLine } from './tally.ts';

test('the last line has the numbers and nothing else', () => {
  expect(tallyLine({ passed: 12, failed: 0, skipped: 3 })).toBe('12 passed, 0 failed, 3 skipped');
});

test.each([
  [0, { passed: 1, failed: 0, skipped: 0 }, 0],
  [0, { passed: 0, failed: 0, skipped: 0 }, 1],
  [0, { passed: 0, failed: 0, skipped: 9 }, 1],
  [0, { passed: 5, failed: 1, skipped: 0 }, 1],
  [1, { passed: 5, failed: 0, skipped: 0 }, 1],
  [null, { passed: 5, failed: 0, skipped: 0 }, 1],
])('runner code %s with %j ends with %s', (code, tally, end) => {
  expect(exitCode(code, tally)).toBe(end);
});

test('services are asked for in a comment, nowhere else', () => {
  const tag = '@services';
  expect(askedFor(`/**\n * What it is.\n * ${tag} valkey postgres\n */`)).toEqual(['valkey', 'postgres']);
  expect(askedFor(`/** ${tag} docker */\n// ${tag} valkey`)).toEqual(['docker', 'valkey']);
  expect(askedFor(`const text = '${tag} docker';`)).toEqual([]);
});
