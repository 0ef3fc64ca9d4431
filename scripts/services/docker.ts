import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { must } from '../lib/run.ts';
import { ensurePackages, which } from './apt.ts';
import { ensureTestImage } from './docker-image.ts';
import type { Ground } from './ground.ts';
import { untilReady } from './ready.ts';
import { type Service, ServiceUnavailableError } from './service.ts';
import { isRoot } from './user.ts';

/**
 * A private Docker engine beside whatever engine the machine has: own data, own runtime folder, own containerd
 * namespaces, no bridge and no firewall rules. Its containers have no network but loopback.
 */
export const docker: Service = {
  name: 'docker',
  variable: 'DOCKER_HOST',

  async probe(url) {
    const version = await dockerCli(url, ['version', '--format', '{{.Server.Version}}']);
    if (version === '') throw new Error('docker version names no server');
  },

  async start(ground: Ground) {
    const { url } = await startEngine(ground);
    return url;
  },

  async furnish(url, ground) {
    return { DOCKER_TEST_IMAGE: await ensureTestImage(url, ground) };
  },
};

export interface StartedEngine {
  readonly url: string;
  /** Its folder; a later engine can be started on it, as after a crash. */
  readonly folder: string;
  readonly pid: number;
}

export interface EngineOptions {
  /** Apart from other engines on the same ground. Default `docker`. */
  readonly name?: string;
  /** Where it listens on 127.0.0.1, instead of on a socket of the file system. */
  readonly port?: number;
}

/**
 * Starts a private engine, or starts it again on what an earlier one of the same name has left.
 * @throws ServiceUnavailableError if this machine or user cannot have it.
 */
export async function startEngine(
  ground: Ground,
  { name = 'docker', port }: EngineOptions = {},
): Promise<StartedEngine> {
  if (!isRoot) throw new ServiceUnavailableError('only root can start a private Docker engine');
  const dockerd = await ensurePackages({ find: engine, packages: ['docker.io'] });
  const folder = join(ground.folder, name);
  await mkdir(folder, { recursive: true });
  const settings = join(folder, 'daemon.json');
  await writeFile(settings, '{}');
  const url = port === undefined ? `unix://${join(folder, 'docker.sock')}` : `tcp://127.0.0.1:${port}`;
  const namespace = `${basename(ground.folder)}-${name}`;
  const pidFile = join(folder, 'docker.pid');
  await rm(pidFile, { force: true });
  const daemon = await ground.daemon(`dockerd-${name}`, dockerd, [
    ...['--host', url, '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...['--pidfile', pidFile, '--config-file', settings],
    ...['--containerd-namespace', namespace, '--containerd-plugins-namespace', `${namespace}-plugins`],
    ...['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false'],
    ...['--shutdown-timeout=3', ...(port === undefined ? [] : ['--tls=false'])],
  ]);
  await untilReady(`dockerd ${name}`, daemon, () => docker.probe(url), 45_000);
  await ground.onStop(() => removeContainers(url));
  return { url, folder, pid: Number(await readFile(pidFile, 'utf8')) };
}

/** Runs the Docker command line against one engine and answers its stdout. */
export async function dockerCli(url: string, args: readonly string[], deadlineMs = 30_000): Promise<string> {
  const answer = await must('docker', args, { env: { ...process.env, DOCKER_HOST: url }, deadlineMs });
  return answer.trim();
}

async function removeContainers(url: string): Promise<void> {
  const ids = (await dockerCli(url, ['ps', '-aq', '--no-trunc'])).split('\n').filter((id) => id !== '');
  if (ids.length > 0) await dockerCli(url, ['rm', '-f', ...ids]);
}

/** The engine, if the command line is there too. */
async function engine(): Promise<string | undefined> {
  return (await which('docker')) === undefined ? undefined : which('dockerd');
}
