/**
 * The tables, their dump, and what they refuse to whom.
 * @services postgres
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { sampleEvent, sampleEvents } from '@agent-killswitch/conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { grants, migrate, postgresAudit } from '../src/index.ts';
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
      await database.pool().query(grants(role.slice(1, -1)));
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
