import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@agent-killswitch/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AttemptHost, attempt, type Outcome } from './attempt.ts';
import { connections, systemResolve } from './connection.ts';
import { Networks } from './networks.ts';

/** Answers with the status that the path asks for, and a `Retry-After` as the query says. */
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
  const after = searchParams.get('after');
  if (after !== null) response.setHeader('retry-after', after);
  response.statusCode = Number(pathname.slice(1));
  request.resume().on('end', () => response.end());
});
const host: AttemptHost = {
  clock: systemClock,
  networks: new Networks(['127.0.0.1']),
  resolve: systemResolve,
  connections: connections(4),
  attemptMs: 30_000,
  redirects: 0,
};
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  host.connections.cut();
  server.close();
  server.closeAllConnections();
});

/** What comes of an answer with this status. */
function outcomeOf(status: string): Promise<Outcome> {
  const { port } = server.address() as AddressInfo;
  return attempt(new URL(`http://127.0.0.1:${port}/${status}`), {}, '{}', host);
}

test.each([200, 201, 202, 204, 226, 299])('%i is a delivery', async (status) => {
  expect(await outcomeOf(`${status}?after=60`)).toEqual({ kind: 'delivered' });
});

test('410 ends it', async () => expect(await outcomeOf('410?after=60')).toEqual({ kind: 'gone' }));

test.each([300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 408, 413, 500, 501, 505, 599])(
  '%i is a failure, of this message',
  async (status) => {
    const error = expect.stringContaining(`answered ${status}`);
    expect(await outcomeOf(String(status))).toEqual({ kind: 'failed', error, isBusy: false });
  },
);

test.each([429, 502, 503, 504])('%i is a failure that all messages wait for', async (status) => {
  const failed = { kind: 'failed', error: `answered ${status}`, isBusy: true };
  expect(await outcomeOf(String(status))).toEqual(failed);
  expect(await outcomeOf(`${status}?after=7`)).toEqual({ ...failed, retryAfterMs: 7_000 });
  expect(await outcomeOf(`${status}?after=soon`)).toEqual(failed);
});

test('any failure may ask for a pause', async () => {
  expect(await outcomeOf('500?after=7')).toMatchObject({ isBusy: true, retryAfterMs: 7_000 });
});
