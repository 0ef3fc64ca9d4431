/** @services valkey */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';

withService('valkey', 'VALKEY_URL', (url) => {
  test('a stop that is asked for on one of three orchestrators reaches the agents of all, and holds on all', async () => {
    const main = new URL('../src/main.ts', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=agent-killswitch-source', '--disable-warning=ExperimentalWarning', main],
      { env: { ...process.env, VALKEY_URL: url }, timeout: 100_000 },
    );
    expect(stdout).toContain('Killed 6 of 6 agents');
    for (const name of ['one', 'two', 'three'])
      expect(stdout.match(new RegExp(`of ${name}: pid`, 'g')), stdout).toHaveLength(2);
    expect(stdout).toContain('A spawn on three is answered with 423');
    expect(stdout).toContain('a spawn on one is answered with 201');
  });
});
