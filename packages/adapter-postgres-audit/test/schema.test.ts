/**
 * The tables, their dump, and what they refuse to whom.
 * @services postgres
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { grants, migrate, postgresAudit, retire, verifyDatabase } from '../src/index.ts';
import { asAdmin, makeDatabase, recordsOf, type TestDatabase } from './support/database.ts';

const run = promisify(execFile);

async function dumpOf(url: string): Promise<string> {
  const args = ['--schema-only', '--no-owner', '--no-privileges', '--no-comments', `--dbname=${url}`];
  const { stdout } = await run('pg_dump', args);
  const lines = stdout
    .split('\n')
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\)/.test(line));
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

withService('postgres', 'DATABASE_URL', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase(server);
    await postgresAudit(database.pool()).append(sampleEvents(0, 3));
  });
  afterAll(() => database.drop());

  it('is what schema.sql says (renewed by: vitest -u)', async () => {
    const fresh = await makeDatabase(server, false);
    try {
      await migrate(fresh.pool(), { months: -1 });
      await expect(await dumpOf(fresh.url)).toMatchFileSnapshot('../schema.sql');
    } finally {
      await fresh.drop();
    }
  });

  it('is migrated once, however many do it at once', async () => {
    const fresh = await makeDatabase(server, false);
    try {
      await Promise.all(Array.from({ length: 5 }, () => migrate(fresh.pool())));
      const pool = fresh.pool();
      expect((await pool.query('SELECT version FROM killswitch_audit.migrations')).rows).toEqual([
        { version: 1 },
      ]);
      await postgresAudit(pool).append(sampleEvents(0, 2));
      const { rows } = await pool.query(
        'SELECT DISTINCT tableoid::regclass::text AS name FROM killswitch_audit.records',
      );
      expect(rows[0].name).toMatch(/records_\d{4}_\d{2}$/);
    } finally {
      await fresh.drop();
    }
  });

  it('keeps a record in whatever settings a database gives its sessions, with the months where they belong', async () => {
    const fresh = await makeDatabase(server, false);
    const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
    try {
      const name = new URL(fresh.url).pathname.slice(1);
      for (const setting of [
        'standard_conforming_strings = off',
        "datestyle = 'SQL, DMY'",
        "timezone = 'Asia/Shanghai'", // CST, which Postgres reads as that of Chicago
        "default_transaction_isolation = 'repeatable read'",
        'search_path = nowhere',
      ])
        await asAdmin(server, `ALTER DATABASE ${name} SET ${setting}`);
      await Promise.all([migrate(fresh.pool()), migrate(fresh.pool())]);
      const utc = fresh.pool({ options: '-c datestyle=ISO -c timezone=UTC' });
      const { rows } = await utc.query(
        "SELECT pg_get_expr(relpartbound, oid) AS bounds FROM pg_class WHERE relname ~ '^records_[0-9_]{7}$'",
      );
      expect(rows).toHaveLength(4);
      for (const { bounds } of rows)
        expect(bounds).toMatch(/FROM \('\d+-\d+-01 00:00:00\+00'\) TO \('\d+-\d+-01 00:00:00\+00'\)/);
      const pool = fresh.pool();
      const writers = Array.from({ length: 4 }, async (_, n) => {
        const sink = postgresAudit(pool);
        for (let k = 0; k < 5; k += 1)
          await sink.append([sampleEvent(n * 5 + k, { reason: "it's \\' odd" })]);
      });
      await Promise.all(writers);
      expect(await verifyDatabase(pool)).toMatchObject({ ok: true, count: 20 });
      const before = new Date();
      // The second of next month: this one is over by then, and no other.
      before.setUTCMonth(before.getUTCMonth() + 1, 2);
      expect(await retire(pool, { before, privateKey })).toHaveLength(1);
      await postgresAudit(pool).append([sampleEvent(20)]);
      expect(await verifyDatabase(pool, { key })).toMatchObject({ ok: true, count: 1 });
    } finally {
      await fresh.drop();
    }
  });

  it('refuses sessions in which NULL would be a text, and a transaction that could not see the end of a chain', async () => {
    const pool = database.pool({ options: '-c array_nulls=off' });
    await expect(postgresAudit(pool).open()).rejects.toMatchObject({
      code: 'postgres-schema',
      message: /array_nulls/,
    });
    const client = await database.pool().connect();
    await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
    const nothing = Array.from({ length: 19 }, () => "'{}'").join(', ');
    await expect(client.query(`SELECT killswitch_audit.append_1(1, ${nothing})`)).rejects.toThrow(
      /READ COMMITTED/,
    );
    client.release(true);
  });

  it('says that a migration was half run', async () => {
    const fresh = await makeDatabase(server, false);
    try {
      await fresh.pool().query('CREATE SCHEMA killswitch_audit');
      await expect(migrate(fresh.pool())).rejects.toMatchObject({
        code: 'postgres-schema',
        message: /half run/,
      });
    } finally {
      await fresh.drop();
    }
  });

  it('says what is missing, what is too new, and in which encoding it cannot be', async () => {
    const fresh = await makeDatabase(server, false);
    const name = `latin_${randomUUID().slice(0, 8)}`;
    try {
      const pool = fresh.pool();
      const sink = postgresAudit(pool);
      await expect(sink.open()).rejects.toMatchObject({ code: 'postgres-schema', message: /run migrate/ });
      await expect(sink.append([sampleEvent(0)])).rejects.toMatchObject({ code: 'postgres-schema' });
      await migrate(pool);
      await sink.append([sampleEvent(0)]);
      await pool.query('INSERT INTO killswitch_audit.migrations (version) VALUES (2)');
      const newer = { code: 'postgres-version', message: /version 2.*update/ };
      await expect(postgresAudit(pool).open()).rejects.toMatchObject(newer);
      await expect(postgresAudit(pool).append([sampleEvent(1)])).rejects.toMatchObject(newer);
      await expect(migrate(pool)).rejects.toMatchObject(newer);
      await pool.query('DROP FUNCTION killswitch_audit.append_1');
      await expect(sink.append([sampleEvent(1)])).rejects.toMatchObject({ code: 'postgres-schema' });

      await asAdmin(server, `CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'`);
      const latin = fresh.pool({
        connectionString: Object.assign(new URL(server), { pathname: `/${name}` }).href,
      });
      await migrate(latin);
      await expect(postgresAudit(latin).open()).rejects.toThrow(/in LATIN1.*UTF8/);
    } finally {
      await fresh.drop();
      await asAdmin(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  });

  it.each(['records', 'records_default', 'event_ids', 'breaks'])(
    '%s refuses its owner every change',
    async (table) => {
      const pool = database.pool();
      await pool.query(`INSERT INTO killswitch_audit.breaks SELECT 'chain', count(*), '', 0, '', now(), '', ''
      FROM killswitch_audit.breaks`);
      const column = { event_ids: 'event_id', breaks: 'hash' }[table] ?? 'reason';
      const parent = table.startsWith('records') ? 'records' : table;
      for (const sql of [
        `UPDATE killswitch_audit.${parent} SET ${column} = 'other'`,
        `DELETE FROM killswitch_audit.${parent}`,
        `TRUNCATE killswitch_audit.${table}`,
        `SET session_replication_role = replica; DELETE FROM killswitch_audit.${parent}`,
      ]) {
        const client = await pool.connect();
        await expect(client.query(sql), sql).rejects.toThrow(/append-only/);
        client.release(true);
      }
    },
  );

  it('refuses a change in each month as well, and a second record at one place of a chain', async () => {
    const pool = database.pool();
    const { rows } = await pool.query(
      'SELECT DISTINCT tableoid::regclass::text AS name FROM killswitch_audit.records',
    );
    for (const { name } of rows) {
      for (const sql of [`DELETE FROM ${name}`, `TRUNCATE ${name}`, `UPDATE ${name} SET reason = ''`])
        await expect(pool.query(sql), sql).rejects.toThrow(/append-only/);
    }
    const again = `INSERT INTO killswitch_audit.records SELECT (r).* FROM (
      SELECT r #= hstore('position', '1000000') FROM killswitch_audit.records r LIMIT 1) x (r)`;
    await pool.query('CREATE EXTENSION IF NOT EXISTS hstore');
    await expect(pool.query(again)).rejects.toThrow(/duplicate key.*chain_seq/);
  });

  describe('the role of the service', () => {
    const role = `"writer ${randomUUID()}"`;
    let asWriter: ReturnType<TestDatabase['pool']>;

    beforeAll(async () => {
      await asAdmin(server, `CREATE ROLE ${role} LOGIN PASSWORD 'w'`);
      const name = role.slice(1, -1);
      const url = Object.assign(new URL(database.url), { username: encodeURIComponent(name), password: 'w' });
      asWriter = database.pool({ connectionString: url.href, max: 2 });
      // As after ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC.
      await database.pool().query('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA killswitch_audit FROM PUBLIC');
    });
    afterAll(async () => {
      await database.pool().query(`DROP OWNED BY ${role}`);
      await asAdmin(server, `DROP ROLE ${role}`);
    });

    it('is told when it lacks its grants, and needs no more than those', async () => {
      const sink = postgresAudit(asWriter);
      const refused = { code: 'postgres-role', message: /grants\(role\)/ };
      await expect(sink.open()).rejects.toMatchObject(refused);
      await expect(sink.append([sampleEvent(0)])).rejects.toMatchObject(refused);
      await database.pool().query('GRANT USAGE ON SCHEMA killswitch_audit TO PUBLIC');
      await expect(sink.append([sampleEvent(0)])).rejects.toMatchObject(refused);
      await database.pool().query('REVOKE USAGE ON SCHEMA killswitch_audit FROM PUBLIC');
      const statements = grants(role.slice(1, -1)).split('\n');
      await database.pool().query(statements.filter((each) => !each.includes('FUNCTION')).join('\n'));
      await expect(sink.open()).rejects.toMatchObject(refused);
      await database.pool().query(statements.join('\n'));
      await sink.append(sampleEvents(0, 5));
      expect(await recordsOf(sink)).toHaveLength(5);
      expect((await sink.heads()).map(({ partition }) => partition)).toContain('workspace');
    });

    it.each([
      'UPDATE killswitch_audit.records SET reason = NULL',
      'UPDATE killswitch_audit.records_default SET reason = NULL',
      'DELETE FROM killswitch_audit.records',
      'DELETE FROM killswitch_audit.event_ids',
      'TRUNCATE killswitch_audit.records',
      'TRUNCATE killswitch_audit.event_ids',
      'ALTER TABLE killswitch_audit.records DISABLE TRIGGER ALL',
      'ALTER TABLE killswitch_audit.records_default DISABLE TRIGGER refuse_change',
      'ALTER TABLE killswitch_audit.records DETACH PARTITION killswitch_audit.records_default',
      'DROP TABLE killswitch_audit.records',
      'DROP TRIGGER refuse_change ON killswitch_audit.records',
      'INSERT INTO killswitch_audit.breaks SELECT chain, seq, hash, position, chain, now(), chain, hash FROM killswitch_audit.records',
      'INSERT INTO killswitch_audit.migrations (version) VALUES (9)',
      "SELECT setval('killswitch_audit.position', 1)",
      'SET session_replication_role = replica',
      'CREATE TABLE killswitch_audit.mine (id integer)',
      'CREATE OR REPLACE FUNCTION killswitch_audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    ])('may not: %s', async (sql) => {
      await expect(asWriter.query(sql)).rejects.toMatchObject({
        code: '42501',
        message: /denied|must be owner/,
      });
    });
  });
});
