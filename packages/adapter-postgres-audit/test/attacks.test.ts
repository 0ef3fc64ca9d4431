/**
 * What an owner or superuser could do to the database as a whole, or to what is kept elsewhere (I4). Where it cannot be
 * found, the test is named a limit.
 * @services postgres
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleEvent } from '@agent-killswitch/conformance';
import { canonical, chain } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import {
  type DatabaseReport,
  type PostgresAudit,
  postgresAudit,
  readCheckpoints,
  verifyDatabase,
  writeCheckpoints,
} from '../src/index.ts';
import { makeDatabase, type TestDatabase } from './support/database.ts';

const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
const records = 'killswitch_audit.records';
const audit = 'killswitch_audit';

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  let pool: Pool;
  let sink: PostgresAudit;
  let folder: string;
  let path: string;
  let month: string;

  beforeEach(async () => {
    database = await makeDatabase(server);
    pool = database.pool();
    sink = postgresAudit(pool);
    folder = await mkdtemp(join(tmpdir(), 'attacks-'));
    path = join(folder, 'checkpoints');
    await append(0, 8);
    await checkpoint();
    const { rows } = await pool.query(`SELECT DISTINCT tableoid::regclass::text AS name FROM ${records}`);
    month = rows[0].name;
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    await database.drop();
  });

  const append = (from: number, to: number) =>
    sink.append(Array.from({ length: to - from }, (_, n) => sampleEvent(from + n, { workspaceId: 'w' })));
  const checkpoint = () => writeCheckpoints(sink, path, { privateKey }).make();
  /** As a superuser, for whom triggers are no obstacle. */
  const tamper = (sql: string) => pool.query(`ALTER TABLE ${month} DISABLE TRIGGER ALL; ${sql}`);
  const verify = async (): Promise<DatabaseReport> =>
    verifyDatabase(pool, { heads: await readCheckpoints(path, key), key });
  const bad = (fault: string, seq: number) => ({ ok: false, fault, at: { partition: 'w', seq } });

  it('leaves a record that nobody touched in peace, without a warning', async () => {
    expect(await verify()).toEqual({ ok: true, count: 8, heads: await sink.heads() });
  });

  describe('the place of things', () => {
    it('a month that is detached without retire is missing', async () => {
      await pool.query(`ALTER TABLE ${records} DETACH PARTITION ${month}`);
      expect(await verify()).toEqual(bad('truncated', 0));
    });

    it('a month that is detached, and a chain that begins anew in its place, are found', async () => {
      await pool.query(`ALTER TABLE ${records} DETACH PARTITION ${month}`);
      await append(20, 22);
      expect(await verify()).toEqual(bad('truncated', 2));
    });

    it('a month that is changed while it is detached is found when it is back', async () => {
      const { rows } = await pool.query(
        `SELECT pg_get_expr(relpartbound, oid) AS bounds FROM pg_class WHERE oid = '${month}'::regclass`,
      );
      await pool.query(`ALTER TABLE ${records} DETACH PARTITION ${month}; ALTER TABLE ${month} DISABLE TRIGGER ALL;
        UPDATE ${month} SET reason = 'another' WHERE seq = 3; ALTER TABLE ${records} ATTACH PARTITION ${month} ${rows[0].bounds}`);
      expect(await verify()).toMatchObject(bad('column', 3));
    });

    it('a second record at the place of one, in another month, is found', async () => {
      await pool.query(`CREATE EXTENSION hstore; INSERT INTO ${records}
        SELECT (r #= hstore(ARRAY['stored_at', (stored_at + interval '40 days')::text, 'event_id', 'x'])).* FROM ${records} r WHERE seq = 5`);
      expect(await verify()).toMatchObject({ ok: false, at: { partition: 'w', seq: 5 } });
    });

    it('positions that begin anew, as by setval, are found at the next record', async () => {
      await pool.query(`SELECT setval('${audit}.position', 1)`);
      await append(8, 9);
      expect(await verify()).toMatchObject(bad('order', 8));
    });

    it('two records that change places in reading order are found', async () => {
      await tamper(`UPDATE ${records} SET position = 100 - position WHERE seq IN (3, 4)`);
      expect(await verify()).toMatchObject(bad('order', 4));
    });

    it('a record that is stored before the one before it is found; limit: a later time of the last one is not', async () => {
      await tamper(`UPDATE ${records} SET stored_at = stored_at + interval '1 hour' WHERE seq = 7`);
      expect(await verify()).toMatchObject({ ok: true });
      await tamper(`UPDATE ${records} SET stored_at = stored_at + interval '2 hours' WHERE seq = 4`);
      expect(await verify()).toMatchObject(bad('order', 5));
    });

    it('a chain under a name that looks the same is another chain, and the first one is missing', async () => {
      await tamper(`UPDATE ${records} SET chain = 'W'`);
      expect(await verify()).toMatchObject({ ok: false, fault: 'hash', at: { partition: 'W', seq: 0 } });
      await tamper(`UPDATE ${records} SET chain = U&'\\FF57'`); // a full-width w
      expect(await verify()).toMatchObject(bad('truncated', 0));
    });

    it('records of a look-alike chain that are rightly chained belong to no workspace of that name', async () => {
      let last = undefined as ReturnType<typeof chain> | undefined;
      for (let seq = 0; seq < 2; seq += 1) {
        last = chain(last, '\u24e6', sampleEvent(50 + seq, { workspaceId: 'w' }));
        await pool.query(
          `INSERT INTO ${records} SELECT 1000 + seq, $1, $2, $3, $4, now(), $5, event_id || 'x', type, event_time, host_id, workspace_id
           FROM ${records} WHERE chain = 'w' AND seq = 0`,
          [last.partition, last.seq, last.prev, last.hash, canonical(last.event)],
        );
      }
      expect(await verify()).toMatchObject({
        ok: false,
        fault: 'column',
        at: { partition: '\u24e6', seq: 0 },
      });
    });
  });

  describe('the schema', () => {
    it('an event column of another type, which writes JSON its own way, is found', async () => {
      await tamper(`ALTER TABLE ${records} ALTER COLUMN event TYPE jsonb USING event::jsonb`);
      expect(await verify()).toMatchObject(bad('hash', 0));
    });

    it('columns of wider types say the same, and are no fault', async () => {
      await pool.query(`DROP INDEX ${audit}.records_of_requests; ALTER TABLE ${records} ALTER COLUMN seq TYPE numeric,
        ALTER COLUMN hash TYPE varchar(64), ALTER COLUMN reason TYPE char(9)`);
      expect(await verify()).toMatchObject({ ok: true, count: 8 });
    });

    it('a column that is gone is told as such', async () => {
      await pool.query(`ALTER TABLE ${records} DROP COLUMN reason`);
      await expect(verify()).rejects.toMatchObject({ code: 'postgres-schema', message: /reason/ });
    });

    it.each([
      [
        'disabled',
        `ALTER TABLE ${records} DISABLE TRIGGER refuse_change`,
        /records: no trigger refuse_change/,
      ],
      [
        'weakened',
        `ALTER TABLE ${audit}.breaks ENABLE TRIGGER refuse_change`,
        /breaks: no trigger refuse_change/,
      ],
      ['gone', `DROP TRIGGER refuse_truncate ON ${audit}.event_ids`, /event_ids: no trigger refuse_truncate/],
      [
        'emptied',
        `CREATE OR REPLACE FUNCTION ${audit}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
        /records: no trigger refuse_change/,
      ],
      ['hidden from', `ALTER TABLE ${records} ENABLE ROW LEVEL SECURITY`, /records: rows may be hidden/],
    ])('a table whose guard is %s: a warning, since no record was changed', async (_, sql, warning) => {
      await pool.query(sql);
      expect(await verify()).toMatchObject({
        ok: true,
        warnings: expect.arrayContaining([expect.stringMatching(warning)]),
      });
    });

    it('ids put on file ahead of their events, which would be dropped: a warning', async () => {
      await pool.query(`INSERT INTO ${audit}.event_ids VALUES ('of a kill to come'), ('and another')`);
      expect(await verify()).toMatchObject({
        ok: true,
        warnings: [expect.stringMatching(/2 ids without an event/)],
      });
      await pool.query(`ALTER TABLE ${audit}.event_ids DISABLE TRIGGER ALL; TRUNCATE ${audit}.event_ids`);
      expect(await verify()).toMatchObject({
        ok: true,
        warnings: expect.arrayContaining([expect.stringMatching(/8 ids are missing/)]),
      });
    });

    it('rows that a policy hides from whoever looks are missing', async () => {
      const role = `auditor_${database.url.slice(-12)}`;
      await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'a'; GRANT USAGE ON SCHEMA ${audit} TO ${role};
        GRANT SELECT ON ALL TABLES IN SCHEMA ${audit} TO ${role};
        ALTER TABLE ${records} ENABLE ROW LEVEL SECURITY; CREATE POLICY hide ON ${records} USING (seq <> 4)`);
      try {
        const url = Object.assign(new URL(database.url), { username: role, password: 'a' });
        const auditor = database.pool({ connectionString: url.href, max: 1 });
        expect(await verifyDatabase(auditor)).toMatchObject(bad('sequence', 5));
      } finally {
        await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    });
  });

  describe('the checkpoints', () => {
    it('an older state of the database, to which later records were added, is found', async () => {
      await append(8, 10);
      await checkpoint();
      await tamper(`DELETE FROM ${records} WHERE seq >= 8; ALTER TABLE ${audit}.event_ids DISABLE TRIGGER ALL;
        DELETE FROM ${audit}.event_ids WHERE event_id > '${'0'.repeat(25)}7'`);
      expect(await verify()).toEqual(bad('truncated', 8));
      await append(18, 20);
      await checkpoint();
      // Both ends are on file and signed, one of them by somebody who was shown the wrong past.
      expect(await verify()).toMatchObject(bad('head', 9));
    });

    it('a line that is changed, forged, or of another key is named by its number', async () => {
      await append(8, 9);
      await checkpoint();
      const [first = '', second = ''] = (await readFile(path, 'utf8')).split('\n');
      const other = generateKeyPairSync('ed25519');
      const forged = join(folder, 'forged');
      await writeCheckpoints(sink, forged, { privateKey: other.privateKey }).make();
      for (const line of [
        second.replace('"seq":8', '"seq":7'),
        '{}',
        second.slice(0, -1),
        await readFile(forged, 'utf8'),
      ]) {
        await writeFile(path, `${first}\n${line}\n`);
        await expect(readCheckpoints(path, key)).rejects.toMatchObject({
          code: 'invalid-input',
          message: /checkpoints line 2/,
        });
      }
    });

    it('limit: what came after the last checkpoint can be cut off, and is not missed', async () => {
      await append(8, 12);
      await tamper(`DELETE FROM ${records} WHERE seq >= 8`);
      const found = await verify();
      expect(found).toMatchObject({ ok: true, count: 8 });
      // Not by itself, but the ids that were told are still there, unless they were cut off as well.
      expect(found).toMatchObject({
        warnings: expect.arrayContaining([expect.stringMatching(/4 ids without an event/)]),
      });
    });

    it('limit: an older database is whole with the checkpoints of its time', async () => {
      const older = await readFile(path);
      await append(8, 12);
      await checkpoint();
      await tamper(`DELETE FROM ${records} WHERE seq >= 8; ALTER TABLE ${audit}.event_ids DISABLE TRIGGER ALL;
        DELETE FROM ${audit}.event_ids WHERE event_id > '${'0'.repeat(25)}7'`);
      expect(await verify()).toEqual(bad('truncated', 8));
      await writeFile(path, older);
      expect(await verify()).toMatchObject({ ok: true, count: 8 });
    });

    it('limit: without checkpoints a chain that is made anew from its beginning is whole', async () => {
      await tamper(
        `DELETE FROM ${records}; ALTER TABLE ${audit}.event_ids DISABLE TRIGGER ALL; DELETE FROM ${audit}.event_ids`,
      );
      await append(30, 38);
      expect(await verifyDatabase(pool)).toMatchObject({ ok: true, count: 8 });
      expect(await verify()).toMatchObject(bad('head', 7));
    });
  });
});
