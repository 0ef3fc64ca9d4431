/** The README's example is run as it stands. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;

test('the example of the README kills an agent that ignores SIGTERM in 15 lines', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const code = /<!-- This block is run by .*?```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  expect(
    code.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('import ')).length,
  ).toBeLessThanOrEqual(15);
  // Inside the workspace, so that its imports resolve as they would for a user.
  const folder = await mkdtemp(join(root, '.readme-'));
  try {
    await writeFile(join(folder, 'example.ts'), code);
    const args = [
      '--conditions=agent-killswitch-source',
      '--disable-warning=ExperimentalWarning',
      'example.ts',
    ];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      cwd: folder,
      timeout: 20_000,
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^confirmed · pid \d+ .*gone from \/proc.*\n$/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
