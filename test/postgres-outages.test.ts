/**
 * Postgres hung, gone, or full: nobody waits for it without an end, and nothing is lost or told twice (I4, I5). On a
 * server of its own, that can be stopped and killed.
 * @services postgres
 */
import { migrate, type PostgresAudit, postgresAudit } from '@agent-killswitch/adapter-postgres-audit';
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import type { AuditRecord } from '@agent-killswitch/core';
import { Client, Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { OwnPostgres } from './support/own-postgres.ts';
import { withService } from './support/with-service.ts';

const deadlines = { appendMs: 400, readMs: 400 };
let server: OwnPostgres;
let pool: Pool;
let sink: PostgresAudit;
let next = 0;

withService('postgres', 'DATABASE_URL', () => {
  beforeAll(async () => {
    server = await OwnPostgres.make(['max_connections=12', 'superuser_reserved_connections=1']);
    pool = new Pool({ connectionString: server.url, max: 4, connectionTimeoutMillis: 1_000 });
    pool.on('error', () => {});
    await migrate(pool);
    sink = postgresAudit(pool, deadlines);
  });
  beforeEach(async () => {
    await sink.append(sampleEvents(next, 3));
    next += 3;
  });
  afterAll(async () => {
    await server?.thaw();
    await server?.kill();
    await pool?.end();
    await server?.end();
  });

  async function recordsOf(from: PostgresAudit): Promise<AuditRecord[]> {
    const records: AuditRecord[] = [];
    for await (const record of from.read()) records.push(record);
    return records;
  }

  async function expectAllOnce(): Promise<void> {
    const ids = (await recordsOf(postgresAudit(pool))).map(({ event }) => Number(event.id));
    expect(ids).toEqual(Array.from({ length: next }, (_, n) => n));
  }

  /** Tries until it is taken, as the core does. */
  async function appendAtLast(count: number): Promise<void> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const error = await sink.append(sampleEvents(next, count)).catch((thrown: unknown) => thrown);
      if (error === undefined) break;
      expect(error).toMatchObject({ code: 'postgres-unavailable' });
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    next += count;
  }

  it('answers in time while Postgres hangs, and goes on when it does', async () => {
    await server.freeze();
    const began = performance.now();
    const unavailable = { code: 'postgres-unavailable', message: /no answer within 400 ms/ };
    await Promise.all([
      expect(sink.append([sampleEvent(next)])).rejects.toMatchObject(unavailable),
      expect(recordsOf(sink)).rejects.toMatchObject(unavailable),
      expect(sink.heads()).rejects.toMatchObject(unavailable),
      expect(postgresAudit(pool, deadlines).open()).rejects.toMatchObject(unavailable),
    ]);
    for (let round = 0; round < 8; round += 1)
      await expect(sink.append([sampleEvent(next)])).rejects.toMatchObject({ code: 'postgres-unavailable' });
    expect(performance.now() - began).toBeLessThan(9 * 400 + 1_500);
    await server.thaw();
    await appendAtLast(2);
    await expectAllOnce();
  });

  it('says so when Postgres is killed, and goes on when it is there again', async () => {
    await server.kill();
    await expect(sink.append([sampleEvent(next)])).rejects.toMatchObject({ code: 'postgres-unavailable' });
    await expect(recordsOf(sink)).rejects.toMatchObject({ code: 'postgres-unavailable' });
    await server.start();
    await appendAtLast(2);
    await expectAllOnce();
  });

  it('says so when Postgres has no connection left', async () => {
    const clients: Client[] = [];
    const others = new Pool({ connectionString: server.url, max: 1 });
    try {
      for (let isFull = false; !isFull; ) {
        const client = new Client({ connectionString: server.url });
        isFull = await client.connect().then(
          () => false,
          () => true,
        );
        if (!isFull) clients.push(client);
      }
      const full = { code: 'postgres-unavailable', sqlState: '53300' };
      await expect(postgresAudit(others).append([sampleEvent(next)])).rejects.toMatchObject(full);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
      await others.end();
    }
    await appendAtLast(1);
    await expectAllOnce();
  });

  it('leaves no connection of the pool behind, however often it was cut off', async () => {
    for (let round = 0; round < 5; round += 1) {
      await server.freeze();
      await Promise.allSettled([sink.heads(), sink.heads(), sink.append([sampleEvent(next)])]);
      await server.thaw();
      await appendAtLast(1);
    }
    await expect.poll(() => [pool.waitingCount, pool.totalCount - pool.idleCount]).toEqual([0, 0]);
    await expectAllOnce();
  });
});
