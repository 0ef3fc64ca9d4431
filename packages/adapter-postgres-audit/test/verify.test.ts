/**
 * `verify` of the sink: a workspace's chain or all, in steps, against checkpoints that are kept in a file.
 * @services postgres
 */
import { generateKeyPairSync } from 'node:crypto';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleEvent } from '@agent-killswitch/conformance';
import type { PartitionHead } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { type PostgresAudit, postgresAudit, writeCheckpoints } from '../src/index.ts';
import { makeDatabase, type TestDatabase } from './support/database.ts';

const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
const records = 'killswitch_audit.records';

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  let folder: string;
  let checkpoints: string;
  let pool: Pool;
  let sink: PostgresAudit;
  beforeEach(async () => {
    database = await makeDatabase(server);
    folder = await mkdtemp(join(tmpdir(), 'verify-'));
    checkpoints = join(folder, 'checkpoints');
    pool = database.pool();
    sink = postgresAudit(pool, { checkpoints, key });
    await sink.append(
      Array.from({ length: 40 }, (_, n) => sampleEvent(n, { workspaceId: n % 4 === 0 ? 'a' : 'b' })),
    );
    await writeCheckpoints(sink, checkpoints, { privateKey }).make();
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    await database.drop();
  });

  /** As somebody who owns the tables and does not care. */
  const tamper = (sql: string) =>
    pool.query(
      `ALTER TABLE ${records} DISABLE TRIGGER ALL; ${sql}; ALTER TABLE ${records} ENABLE ALWAYS TRIGGER refuse_change`,
    );
  const headOf = async (chain: string) =>
    (await sink.heads()).find(({ partition }) => partition === chain) as PartitionHead;

  it('finds by the checkpoints what cannot be found without them, on the chain that is asked for', async () => {
    expect(await sink.verify()).toEqual({
      ok: true,
      isComplete: true,
      isAnchored: true,
      count: 40,
      upTo: await headOf('b'),
    });
    await tamper(`DELETE FROM ${records} WHERE chain = 'b' AND seq >= 20`);
    expect(await sink.verify({ workspaceId: 'a' })).toMatchObject({ ok: true, count: 10 });
    expect(await sink.verify({ workspaceId: 'b' })).toMatchObject({
      ok: false,
      fault: 'truncated',
      at: { partition: 'b', seq: 20 },
      count: 20,
    });
    expect(await postgresAudit(pool).verify()).toMatchObject({ ok: true, isAnchored: false, count: 30 });
    await appendFile(checkpoints, 'forged\n');
    await expect(sink.verify()).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('goes on behind a record that is still what it was; says so if it is not', async () => {
    const after = await headOf('a');
    expect(await sink.verify({ after })).toMatchObject({ ok: true, count: 30, upTo: await headOf('b') });
    const other = { ...after, hash: 'f'.repeat(64) };
    expect(await sink.verify({ after: other })).toMatchObject({
      ok: false,
      fault: 'head',
      at: { seq: 9 },
      count: 0,
    });
    await tamper(`DELETE FROM ${records} WHERE chain = 'a' AND seq = 9`);
    expect(await sink.verify({ after })).toMatchObject({ ok: false, fault: 'truncated', at: { seq: 9 } });
  });

  it('needs the key of the checkpoints, and no statement outlives its deadline', async () => {
    expect(() => postgresAudit(pool, { checkpoints })).toThrow(/checkpoints: need the key/);
    const client = await pool.connect();
    await client.query(`BEGIN; LOCK TABLE ${records} IN ACCESS EXCLUSIVE MODE`);
    await expect(postgresAudit(pool, { readMs: 200 }).verify()).rejects.toMatchObject({
      code: 'postgres-unavailable',
    });
    await client.query('ROLLBACK');
    client.release();
  });
});
