/**
 * The command that an auditor runs on a database, as a process of its own with a role that may read only.
 * @services postgres
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresAudit, readCheckpoints, writeCheckpoints } from '@agent-killswitch/adapter-postgres-audit';
import { sampleEvent } from '@agent-killswitch/conformance';
import { canonical } from '@agent-killswitch/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import {
  asAdmin,
  makeDatabase,
  recordsOf,
  type TestDatabase,
} from '../../adapter-postgres-audit/test/support/database.ts';
import { run } from './run-command.ts';

const keys = generateKeyPairSync('ed25519');

withService('postgres', 'DATABASE_URL', (server) => {
  const auditor = `auditor_${randomUUID().replaceAll('-', '')}`;
  let database: TestDatabase;
  let folder: string;
  let asAuditor: string;
  let checkpoints: readonly string[];

  beforeAll(async () => {
    database = await makeDatabase(server);
    folder = await mkdtemp(join(tmpdir(), 'audit-cli-'));
    const pool = database.pool();
    await asAdmin(server, `CREATE ROLE ${auditor} LOGIN PASSWORD 'r'`);
    await pool.query(`GRANT USAGE ON SCHEMA killswitch_audit TO ${auditor};
      GRANT SELECT ON ALL TABLES IN SCHEMA killswitch_audit TO ${auditor}`);
    asAuditor = Object.assign(new URL(database.url), { username: auditor, password: 'r' }).href;
    const sink = postgresAudit(pool);
    const path = join(folder, 'checkpoints');
    const writer = writeCheckpoints(sink, path, { privateKey: keys.privateKey });
    for (let n = 0; n < 6; n += 1) {
      await sink.append([sampleEvent(n, { workspaceId: `w-${n % 2}`, reason: 'NUL \0' })]);
      await writer.make();
    }
    writer.stop();
    const key = join(folder, 'key.pem');
    await writeFile(key, keys.publicKey.export({ type: 'spki', format: 'pem' }));
    checkpoints = ['--checkpoints', path, '--key', key];
  });
  afterAll(async () => {
    await database.pool().query(`DROP OWNED BY ${auditor}`);
    await asAdmin(server, `DROP ROLE ${auditor}`);
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('verify: 0 and where the chains end, with and without checkpoints', async () => {
    for (const args of [[], checkpoints]) {
      const { code, stdout, stderr } = await run(['verify', '--database', asAuditor, ...args]);
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({
        ok: true,
        count: 6,
        heads: [
          { partition: 'w-0', seq: 2 },
          { partition: 'w-1', seq: 2 },
        ],
      });
    }
    expect(await readCheckpoints(checkpoints[1] ?? '', keys.publicKey)).toHaveLength(6);
  });

  it('export: every record a line, in each format, or one chain', async () => {
    const records = await recordsOf(postgresAudit(database.pool()));
    const env = { DATABASE_URL: asAuditor };
    expect((await run(['export'], env)).stdout).toBe(
      records.map((record) => `${canonical(record)}\n`).join(''),
    );
    for (const [format, field] of [
      ['cloudevents', 'specversion'],
      ['ocsf', 'class_uid'],
    ] as const) {
      const lines = (await run(['export', '--format', format], env)).stdout.trim().split('\n');
      expect(lines).toHaveLength(6);
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty(field);
    }
    expect((await run(['export', '--chain', 'w-1'], env)).stdout.trim().split('\n')).toHaveLength(3);
  });

  it('2 for what makes no sense, 3 for what cannot be done', async () => {
    const database = ['--database', asAuditor];
    for (const args of [
      [],
      ['verify'],
      ['nonsense', ...database],
      ['verify', 'twice', ...database],
      ['verify', '--frmt'],
      ['export', '--format', 'xml', ...database],
      ['verify', '--checkpoints', 'c', ...database],
    ])
      expect([args, (await run(args)).code]).toEqual([args, 2]);
    const away = await run(['verify', '--database', 'postgres://nobody:secret@127.0.0.1:1/none']);
    expect(away.code).toBe(3);
    expect(away.stderr).toMatch(/ECONNREFUSED/);
    expect(away.stderr).not.toMatch(/secret/);
    expect((await run(['verify', ...database, ...checkpoints.with(1, '/nowhere')])).code).toBe(3);
    const forged = join(folder, 'forged');
    await writeFile(forged, (await readFile(checkpoints[1] ?? '', 'utf8')).replace('"seq":0', '"seq":1'));
    expect((await run(['verify', ...database, ...checkpoints.with(1, forged)])).code).toBe(2);
    for (const [name, at] of [
      ['--key', 3],
      ['--checkpoints', 1],
    ] as const) {
      await writeFile(join(folder, 'empty'), '');
      expect(checkpoints[at - 1]).toBe(name);
      const empty = await run(['verify', ...database, ...checkpoints.with(at, join(folder, 'empty'))]);
      expect([name, empty.code, empty.stderr]).toEqual([
        name,
        2,
        expect.stringMatching(/there is (none|no public key)/),
      ]);
    }
    // Twelve processes, one after the other.
  }, 120_000);

  it('verify: 1 and the record when a chain was cut off, which only a checkpoint shows', async () => {
    const pool = database.pool();
    await pool.query(`ALTER TABLE killswitch_audit.records DISABLE TRIGGER ALL`);
    const { rows } = await pool.query(
      `SELECT DISTINCT tableoid::regclass AS name FROM killswitch_audit.records`,
    );
    for (const { name } of rows) await pool.query(`ALTER TABLE ${name} DISABLE TRIGGER ALL`);
    await pool.query(`DELETE FROM killswitch_audit.records WHERE chain = 'w-1' AND seq = 2`);
    expect((await run(['verify', '--database', asAuditor])).code).toBe(0);
    const { code, stdout } = await run(['verify', '--database', asAuditor, ...checkpoints]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ ok: false, at: { partition: 'w-1', seq: 2 }, fault: 'truncated' });
  });
});
