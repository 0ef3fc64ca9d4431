import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../lib/run.ts';
import { ensurePackages, exists } from './apt.ts';
import type { Ground } from './ground.ts';
import { onFreePort, untilReady } from './ready.ts';
import type { Service } from './service.ts';
import { asUser, isRoot } from './user.ts';

/** Whom the server runs as where this process may choose. */
export const account = { user: 'postgres', group: 'postgres' };
const superuser = 'postgres';
const servers = '/usr/lib/postgresql';

/** A private PostgreSQL cluster with durable commits, whose only way in is 127.0.0.1 with a password. */
export const postgres: Service = {
  name: 'postgres',
  variable: 'DATABASE_URL',

  async probe(url) {
    const answer = await query(url, 'SELECT 1');
    if (answer !== '1') throw new Error(`SELECT 1 was answered with ${answer}`);
  },

  async start(ground: Ground) {
    const bin = await ensurePackages({ find: newestBin, packages: ['postgresql'] });
    const password = randomBytes(18).toString('base64url');
    const data = join(ground.folder, 'postgres');
    await makeCluster(bin, data, password);
    return onFreePort(async (port) => {
      const url = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`;
      const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
      const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
      const options = { account, stopSignal: 'SIGQUIT' } as const;
      const daemon = await ground.daemon(`postgres-${port}`, join(bin, 'postgres'), args, options);
      await untilReady('postgres', daemon, () => this.probe(url), 30_000);
      return url;
    });
  },
};

/** One value from one statement, through psql. The password travels in the environment, not in the argument list. */
export async function query(url: string, sql: string): Promise<string> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const sslMode = searchParams.get('sslmode');
  const env = {
    ...process.env,
    PGHOST: searchParams.get('host') ?? decodeURIComponent(hostname),
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGCONNECT_TIMEOUT: '5',
    ...(sslMode && { PGSSLMODE: sslMode }),
  };
  const answer = await must('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql], {
    env,
    deadlineMs: 15_000,
  });
  return answer.trim();
}

/** Makes an empty cluster at `data`, a folder that is not there yet. */
export async function makeCluster(bin: string, data: string, password: string): Promise<void> {
  await mkdir(data, { mode: 0o700 });
  const passwordFile = `${data}.password`;
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (isRoot) {
    const [uid, gid] = (await must('sh', ['-c', `id -u ${account.user}; id -g ${account.user}`]))
      .trim()
      .split('\n')
      .map(Number);
    if (uid === undefined || gid === undefined) throw new Error(`no account ${account.user}`);
    await chown(data, uid, gid);
    await chown(passwordFile, uid, gid);
  }
  const args = ['-D', data, '-U', superuser, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  const quick = ['-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions'];
  await must(...asUser(account, join(bin, 'initdb'), [...args, ...quick], 'SIGTERM'), {
    cwd: join(data, '..'),
  });
  await rm(passwordFile);
}

/** The programs of the newest server that is installed. */
export async function newestBin(): Promise<string | undefined> {
  const versions = (await readdir(servers).catch(() => [])).map(Number).sort((a, b) => b - a);
  for (const version of versions) {
    const bin = join(servers, `${version}`, 'bin');
    if (await exists(join(bin, 'initdb'))) return bin;
  }
  return undefined;
}
