import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'sessions-example-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The example, running as a user starts it, but for the setup. */
async function boot() {
  const main = new URL('../src/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--conditions=agent-killswitch-source', main], {
    env: { ...process.env, PORT: '0', STATE_DIR: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  let output = '';
  while (!output.includes('\n')) output += (await once(child.stdout, 'data'))[0];
  const [, url] = /^listening on (\S+)/.exec(output) ?? [];
  return {
    async call(method: string, path: string, token: string, body?: object) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const response = await fetch(`${url}${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      // biome-ignore lint/suspicious/noExplicitAny: whatever it answers
      return { status: response.status, body: (await response.json()) as any };
    },
    async end(signal: NodeJS.Signals) {
      child.kill(signal);
      await closed;
      return child.exitCode;
    },
  };
}

const reason = 'drill';

test('starts, shows and kills sessions; each for those who may; a restart forgets nothing', async () => {
  const app = await boot();
  const start = async (token: string): Promise<string> =>
    (await app.call('POST', '/sessions', token, { goal: 'count sheep' })).body.sessionId;
  const [mias, toms] = [await start('mia'), await start('tom')];
  await expect
    .poll(async () => (await app.call('GET', `/sessions/${mias}`, 'mia')).body, { timeout: 10_000 })
    .toMatchObject({ status: 'running', checkpoint: { value: { goal: 'count sheep' } } });
  expect((await app.call('GET', `/sessions/${mias}`, 'tom')).status).toBe(403);
  expect((await app.call('GET', '/sessions', 'tom')).body).toMatchObject([{ sessionId: toms }]);
  expect((await app.call('POST', `/sessions/${mias}/kill`, 'tom', { reason })).status).toBe(403);
  expect((await app.call('POST', `/sessions/${mias}/kill`, 'mia', {})).status).toBe(400);
  expect((await app.call('POST', `/sessions/${mias}/kill`, 'nobody', { reason })).status).toBe(401);
  expect(await app.call('POST', `/sessions/${mias}/kill`, 'mia', { reason })).toMatchObject({
    status: 200,
    body: { killed: 1 },
  });
  expect((await app.call('POST', `/sessions/${mias}/kill`, 'mia', { reason })).status).toBe(404);
  expect((await app.call('POST', '/sessions/none/kill', 'mia', { reason })).status).toBe(404);
  expect((await app.call('POST', '/sessions/kill-all', 'mia', { reason })).status).toBe(403);
  expect(await app.call('POST', '/sessions/kill-all', 'admin', { reason })).toMatchObject({
    status: 200,
    body: { total: 1, killed: 1 },
  });
  const third = await start('mia');
  expect(await app.end('SIGINT')).toBe(0);
  const again = await boot();
  expect((await again.call('GET', '/sessions', 'admin')).body).toMatchObject([
    { sessionId: third, status: 'killed', killedBy: 'system:shutdown', killReason: 'SIGINT' },
    { sessionId: toms, killedBy: 'admin' },
    { sessionId: mias, killedBy: 'mia', killReason: reason, checkpoint: { value: { goal: 'count sheep' } } },
  ]);
  expect(await again.end('SIGTERM')).toBe(0);
});

test('one that heeds nothing is named', async () => {
  const app = await boot();
  const { sessionId } = (await app.call('POST', '/sessions', 'mia', { stubborn: true })).body;
  const kill = await app.call('POST', `/sessions/${sessionId}/kill`, 'mia', { reason });
  expect(kill).toMatchObject({ status: 202, body: { failed: 1, outcomes: [{ outcome: 'unconfirmed' }] } });
});
