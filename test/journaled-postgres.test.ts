/**
 * The sink in front of which nobody waits: a kill with Postgres hung, and a host that was killed in an outage. On a
 * server of its own, that can be stopped.
 * @services postgres
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileJournal, journaled } from '@agent-killswitch/adapter-file-audit';
import { migrate, postgresAudit } from '@agent-killswitch/adapter-postgres-audit';
import { createKillswitch, verifyChain } from '@agent-killswitch/core';
import { memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OwnPostgres } from './support/own-postgres.ts';
import { withService } from './support/with-service.ts';

const principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] } as const;
let server: OwnPostgres;
let pool: Pool;
let directory: string;

withService('postgres', 'DATABASE_URL', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'journaled-postgres-'));
    server = await OwnPostgres.make();
    pool = new Pool({ connectionString: server.url, max: 4, connectionTimeoutMillis: 1_000 });
    pool.on('error', () => {});
    await migrate(pool);
  });
  afterAll(async () => {
    await server?.kill();
    await pool?.end();
    await server?.end();
    await rm(directory, { recursive: true, force: true });
  });

  it('a kill does not wait for a hung Postgres: p99 rises by 50 ms at most (I5)', async () => {
    const runtime = memoryRuntime();
    const audit = journaled(postgresAudit(pool), fileJournal(directory), { onNews: () => {} });
    const ks = createKillswitch({
      hostId: 'node-1',
      state: memoryState(),
      audit,
      runtimes: { memory: runtime },
    });
    await ks.start();
    let count = 0;
    const p99 = async (): Promise<number> => {
      const times: number[] = [];
      for (let n = 0; n < 300; n += 1) {
        const agentId = `agent-${count++}`;
        await ks.admit({ agentId, taskId: agentId, workspaceId: 'acme', ownerId: 'mia' });
        await ks.running(agentId, [runtime.spawn()]);
        const began = performance.now();
        const report = await ks.kill({ agent: agentId }, { principal, reason: 'a test' });
        times.push(performance.now() - began);
        expect(report).toMatchObject({ settled: true, killed: 1 });
      }
      return times.sort((a, b) => a - b)[296] ?? Number.NaN;
    };
    await p99();
    const sound = await p99();
    await server.freeze();
    const hung = await p99();
    await server.thaw();
    console.log(`kill p99: ${sound.toFixed(1)} ms; with Postgres hung: ${hung.toFixed(1)} ms`);
    expect(hung - sound).toBeLessThan(50);
    expect(await audit.delivered(30_000)).toBe(true);
    await ks.close();
    await audit.close();
    const ids: string[] = [];
    const types: string[] = [];
    for (const { partition } of await postgresAudit(pool).heads())
      expect(await verifyChain(postgresAudit(pool).read({ partition }))).toMatchObject({ ok: true });
    for await (const { event } of postgresAudit(pool).read()) {
      ids.push(event.id);
      types.push(event.type);
    }
    expect(new Set(ids).size).toBe(ids.length);
    for (const type of ['order.requested', 'agent.killed', 'order.settled'])
      expect([type, types.filter((each) => each === type).length]).toEqual([type, count]);
  });
});
