/**
 * Checkpoints, and the command that an auditor runs, as a process of its own with a role that may read only.
 * @services postgres
 */
import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleEvent } from '@agent-killswitch/conformance';
import { canonical } from '@agent-killswitch/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import {
  postgresAudit,
  readCheckpoint,
  readCheckpoints,
  signCheckpoint,
  writeCheckpoints,
} from '../src/index.ts';
import { asAdmin, makeDatabase, recordsOf, type TestDatabase } from './support/database.ts';

const script = join(import.meta.dirname, '../src/cli.ts');
const keys = generateKeyPairSync('ed25519');

function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const node = ['--conditions=agent-killswitch-source', script, ...args];
    const options = { env: { ...process.env, DATABASE_URL: '', ...env }, maxBuffer: 2 ** 26 };
    execFile(process.execPath, node, options, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      });
    });
  });
}

it('a checkpoint is of its key and its content', () => {
  const heads = [{ partition: 'b', seq: 3, hash: 'a'.repeat(64) }];
  const line = JSON.stringify(signCheckpoint(heads, keys.privateKey, new Date(0)));
  expect(readCheckpoint(line, keys.publicKey)).toMatchObject({ at: '1970-01-01T00:00:00.000Z', heads });
  const other = generateKeyPairSync('ed25519').publicKey;
  for (const [text, key] of [
    [line.replace('"seq":3', '"seq":2'), keys.publicKey],
    [line.replace('1970', '1971'), keys.publicKey],
    [line, other],
    ['{}', keys.publicKey],
    ['', keys.publicKey],
  ] as const)
    expect(() => readCheckpoint(text, key)).toThrow(/Invalid checkpoint/);
});

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
  });

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

  it('a checkpoint that cannot be made is told, and the next one is tried', async () => {
    const errors: unknown[] = [];
    const path = join(folder, 'missing', 'checkpoints');
    const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const privateKey = createPrivateKey(pem);
    const writer = writeCheckpoints(postgresAudit(database.pool()), path, {
      privateKey,
      everyMs: 20,
      onError: (error) => errors.push(error),
    });
    await expect.poll(() => errors.length).toBeGreaterThan(1);
    writer.stop();
    await expect(writer.make()).rejects.toThrow('ENOENT');
    expect(createPublicKey(privateKey).asymmetricKeyType).toBe('ed25519');
  });
});
