import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { whyItFailed } from './install.mjs';
import { fingerprint } from './workspace-files.mjs';

test.each([
  [
    'npm error code EAI_AGAIN\nnpm error request to https://registry.npmjs.org/pnpm failed',
    false,
    'registry could not be reached',
  ],
  ['ERR_PNPM_META_FETCH_FAIL connect ECONNREFUSED 127.0.0.1:4873', false, 'registry could not be reached'],
  ['', true, 'registry could not be reached'],
  ['ENOSPC: no space left on device, write', false, 'disk is full'],
  [
    'ERR_PNPM_OUTDATED_LOCKFILE Cannot install with "frozen-lockfile"',
    false,
    'pnpm-lock.yaml does not match',
  ],
  ["EACCES: permission denied, mkdir '/root/.npm'", false, 'may not be written by this user'],
  ['something new', false, 'its output above says why'],
])('%j (late: %s) is explained in one paragraph', (output, late, meaning) => {
  expect(whyItFailed(output, late)).toContain(meaning);
  expect(whyItFailed(output, late)).not.toContain('\n');
});

test('the fingerprint changes with the lockfile, a manifest and a new package, and with nothing else', () => {
  const at = mkdtempSync(join(tmpdir(), 'killswitch-fingerprint-'));
  onTestFinished(() => rmSync(at, { recursive: true }));
  const write = (file: string, text: string): string => {
    mkdirSync(join(at, file, '..'), { recursive: true });
    writeFileSync(join(at, file), text);
    return fingerprint(at);
  };
  const first = write('package.json', '{}');
  const states = [first, write('pnpm-lock.yaml', 'a'), write('packages/one/package.json', '{}')];
  states.push(write('packages/one/package.json', '{"name":"one"}'), write('examples/two/package.json', '{}'));
  expect(new Set(states).size).toBe(states.length);
  expect(write('packages/one/README.md', 'text')).toBe(states.at(-1));
});
