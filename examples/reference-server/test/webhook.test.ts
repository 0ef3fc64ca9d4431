/** A server tells a webhook receiver what its people do, in its last second too. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { auditEventSchema } from '@agent-killswitch/core';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { Site, tokens } from './support/reference-server.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;

async function receiver() {
  const payloads: { type: string; data: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = request.headers as Record<string, string>;
    payloads.push(
      new Webhook(secret).verify(Buffer.concat(chunks), headers) as { type: string; data: unknown },
    );
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, payloads };
}

function siteWith(environment: Record<string, string>): Site {
  const site = new Site(environment);
  onTestFinished(() => site.dispose());
  return site;
}

test('everything on record is told, signed, also what comes with SIGTERM', async () => {
  const { url, payloads } = await receiver();
  const site = siteWith({ WEBHOOK_URL: url, WEBHOOK_SECRET: secret, WEBHOOK_NETWORKS: '127.0.0.1' });
  const server = await site.boot();
  await server.spawn(tokens.mia, 'task-1', 'stubborn');
  await server.spawn(tokens.mia, 'task-2', 'stubborn');
  await server.call('POST', '/api/orchestrator/tasks/task-1/kill', tokens.mia, { reason: 'it went rogue' });
  expect(await server.terminate()).toBe(0);
  const told = payloads.map(({ data }) => auditEventSchema.parse(data).id);
  expect(told.toSorted()).toEqual(
    site
      .events()
      .map(({ id }) => id)
      .toSorted(),
  );
  expect(payloads.filter(({ type }) => type === 'agent.killed')).toHaveLength(2);
});

test('a receiver that is not there keeps nobody waiting, and what it missed is kept', async () => {
  const site = siteWith({
    WEBHOOK_URL: 'http://127.0.0.1:9/',
    WEBHOOK_SECRET: secret,
    WEBHOOK_NETWORKS: '127.0.0.1',
  });
  const server = await site.boot();
  await server.spawn(tokens.mia, 'task-1', 'cooperative');
  const answer = await server.call('POST', '/api/orchestrator/tasks/task-1/kill', tokens.mia, {
    reason: 'it went rogue',
  });
  expect(answer).toMatchObject({ status: 200, body: { settled: true, killed: 1 } });
  expect(await server.terminate()).toBe(0);
  const letters = (await readFile(`${site.stateDir}/dead-letters.jsonl`, 'utf8')).trim().split('\n');
  expect(letters.map((line) => JSON.parse(line).type)).toContain('agent.killed');
});

test.each([
  [
    { WEBHOOK_URL: 'https://127.0.0.1/s3cr3t-path', WEBHOOK_SECRET: 'whsec_s3cr3t' },
    /24 to 64 bytes.*not public/,
  ],
  [{ WEBHOOK_URL: 'https://hooks.example/' }, /WEBHOOK_URL and WEBHOOK_SECRET go together/],
])('a server with a wrong webhook (%#) does not start, and says why', async (environment, why) => {
  const { code, stderr } = await siteWith({}).refuse(environment);
  expect(code).toBe(1);
  expect(stderr).toMatch(why);
  expect(stderr).not.toContain('s3cr3t');
});
