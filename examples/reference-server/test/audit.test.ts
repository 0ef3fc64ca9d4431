/**
 * The audit record over HTTP: in the journal that every server has, and in Postgres behind it, also while that is away.
 * @services postgres
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { grants, migrate, postgresAudit, verifyDatabase } from '@agent-killswitch/adapter-postgres-audit';
import type { AuditEvent } from '@agent-killswitch/core';
import { Pool } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { OwnPostgres } from '../../../test/support/own-postgres.ts';
import { withService } from '../../../test/support/with-service.ts';
import { type Life, Site, tokens } from './support/reference-server.ts';

const reason = 'it went rogue';

async function newSite(more: Record<string, string> = {}): Promise<Site> {
  const site = new Site(more);
  onTestFinished(() => site.dispose());
  return site;
}

/** Everything that an asker gets to see, over pages of three. */
async function pagesOf(server: Life, token: string, query = ''): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (let cursor = ''; ; ) {
    const path = `/api/orchestrator/audit?limit=3${query}${cursor && `&cursor=${cursor}`}`;
    const { status, body } = await server.call('GET', path, token);
    if (status !== 200) throw new Error(JSON.stringify(body));
    for (const record of body.records) events.push(record.event);
    if (body.cursor === undefined) return events;
    cursor = body.cursor;
  }
}

/** Two people's agents killed in one workspace and one in another, by hand of their owners. */
async function kills(server: Life): Promise<void> {
  for (const [token, taskId, workspaceId] of [
    [tokens.mia, 'of-mia', 'demo'],
    [tokens.nia, 'of-nia', 'demo'],
    [tokens.sue, 'of-sue', 'other'],
  ] as const) {
    await server.spawn(token, taskId, 'cooperative', { workspaceId });
    const answer = await server.call('POST', `/api/orchestrator/tasks/${taskId}/kill`, token, { reason });
    expect(answer.status).toBe(200);
  }
}

async function expectRightOnes(server: Life, all: readonly AuditEvent[]): Promise<void> {
  expect(await pagesOf(server, tokens.sue)).toEqual(all);
  const ofDemo = all.filter(({ workspaceId }) => workspaceId === 'demo');
  expect(ofDemo.length).toBeGreaterThan(5);
  expect(ofDemo.length).toBeLessThan(all.length);
  expect(await pagesOf(server, tokens.adam)).toEqual(ofDemo);
  const ofMia = await pagesOf(server, tokens.mia, '&taskId=of-mia');
  expect(ofMia.map(({ type }) => type)).toEqual(expect.arrayContaining(['order.requested', 'agent.killed']));
  expect(ofMia).toEqual(await pagesOf(server, tokens.sue, '&taskId=of-mia'));
  const look = async (taskId: string) =>
    JSON.stringify(
      (await server.call('GET', `/api/orchestrator/audit?taskId=${taskId}`, tokens.mia)).body,
    ).replace(taskId, 'ID');
  expect(await look('of-sue')).toBe(await look('no-such'));
  for (const query of ['', '?taskId=of-nia', '?workspaceId=demo', '?workspaceId=other'])
    expect((await server.call('GET', `/api/orchestrator/audit${query}`, tokens.mia)).status).toBe(403);
  expect(await server.call('GET', '/api/orchestrator/audit/verify', tokens.sue)).toMatchObject({
    status: 200,
    body: { ok: true, complete: true },
  });
  expect((await server.call('GET', '/api/orchestrator/audit/verify', tokens.mia)).status).toBe(403);
}

it('A6: from the journal, with nothing else installed', async () => {
  const site = await newSite();
  const server = await site.boot();
  await kills(server);
  await expectRightOnes(server, site.events());
});

it.each([
  ['DATABASE_URL', 'mysql://x/y', /DATABASE_URL: must be postgres/],
  ['DATABASE_OWNER_URL', 'postgres://x/y', /DATABASE_OWNER_URL: means nothing without DATABASE_URL/],
  ['AUDIT_CURSOR_KEY', 'secret', /AUDIT_CURSOR_KEY: must be 64 hexadecimal digits/],
])('does not start with %s=%s', async (name, value, message) => {
  const { code, stderr } = await (await newSite()).refuse({ [name]: value });
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
});

withService('postgres', 'DATABASE_URL', (url) => {
  it('A6: from Postgres, as a role that may neither change nor remove anything', async () => {
    const name = `server_${randomUUID().replaceAll('-', '')}`;
    const admin = new Pool({ connectionString: url, max: 1 });
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'w'`);
    const owner = Object.assign(new URL(url), { pathname: `/${name}` }).href;
    const writer = Object.assign(new URL(owner), { username: name, password: 'w' }).href;
    const pool = new Pool({ connectionString: owner, max: 2 });
    // A connection that has not quite ended when its database is dropped says so.
    for (const each of [admin, pool]) each.on('error', () => {});
    onTestFinished(async () => {
      await pool.query(`DROP OWNED BY ${name}`);
      await pool.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.query(`DROP ROLE ${name}`);
      await admin.end();
    });
    const site = await newSite({ DATABASE_URL: writer, AUDIT_CURSOR_KEY: '0f'.repeat(32) });
    // Without its tables it starts, kills, and says what is missing.
    const first = await site.boot();
    await kills(first);
    expect((await first.call('GET', '/api/orchestrator/audit', tokens.sue)).status).toBe(503);
    expect(first.output).toMatch(/delivery-failed.*run migrate/);
    expect(await first.terminate()).toBe(0);

    await migrate(pool);
    await pool.query(grants(name));
    const server = await site.boot(undefined, [], { DATABASE_OWNER_URL: owner });
    await expect
      .poll(async () => (await server.call('GET', '/api/orchestrator/audit', tokens.sue)).status)
      .toBe(200);
    const all: AuditEvent[] = [];
    for await (const { event } of postgresAudit(pool).read()) all.push(event);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    await expectRightOnes(server, all);
    expect(await verifyDatabase(pool)).toMatchObject({ ok: true });
    const chained = await server.call('GET', '/api/orchestrator/audit?workspaceId=demo', tokens.adam);
    expect(chained.body.records[0]).toMatchObject({ partition: 'demo', seq: 0, prev: '0'.repeat(64) });
    const verified = await server.call('GET', '/api/orchestrator/audit/verify', tokens.adam);
    expect(verified.body).toMatchObject({ ok: true, complete: true, upTo: { partition: 'demo' } });
    expect(await server.terminate()).toBe(0);
    expect(
      readdirSync(join(site.stateDir, 'journal')).filter((file) => file.endsWith('.jsonl')),
    ).toHaveLength(1);
  });

  it('I1, I4: a stop from an outage of Postgres holds after a start in the same outage, with the state lost', async () => {
    const postgres = await OwnPostgres.make();
    const pool = new Pool({ connectionString: postgres.url, max: 2, connectionTimeoutMillis: 1_000 });
    pool.on('error', () => {});
    onTestFinished(async () => {
      await postgres.kill();
      await pool.end();
      await postgres.end();
    });
    const site = await newSite({ DATABASE_URL: postgres.url, DATABASE_OWNER_URL: postgres.url });
    const first = await site.boot();
    await kills(first);
    await postgres.kill();
    const agentId = await first.spawn(tokens.mia, 'last', 'stubborn');
    const stop = await first.call('POST', '/api/orchestrator/emergency-stop', tokens.sue, { reason });
    expect(stop).toMatchObject({ status: 200, body: { settled: true, killed: 1 } });
    expect(stop.ms).toBeLessThan(5_000);
    await first.crash();
    for (const file of readdirSync(site.stateDir))
      if (file.startsWith('state.sqlite')) rmSync(join(site.stateDir, file));

    const second = await site.boot();
    const spawn = { taskId: 'next', agentType: 'worker' };
    expect(await second.call('POST', '/agents/spawn', tokens.mia, spawn)).toMatchObject({
      status: 423,
      body: { gate: { scope: { everything: true }, orderId: stop.body.orderId } },
    });
    expect(await second.call('GET', '/api/orchestrator/audit', tokens.sue)).toMatchObject({
      status: 503,
      body: { code: 'audit-unavailable' },
    });
    await postgres.start();
    await expect
      .poll(async () => (await second.call('GET', '/api/orchestrator/audit', tokens.sue)).status, {
        timeout: 20_000,
      })
      .toBe(200);
    const events = await pagesOf(second, tokens.sue, `&orderId=${stop.body.orderId}`);
    const types = events.map(({ type }) => type);
    expect(types.sort()).toEqual(['agent.killed', 'cleanup.finished', 'order.requested', 'order.settled']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'agent.killed', agentId }));
    expect(await verifyDatabase(pool)).toMatchObject({ ok: true });
    expect(await second.terminate()).toBe(0);
  });
});
