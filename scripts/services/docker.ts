import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
    if (!isRoot) throw new ServiceUnavailableError('only root can start a private Docker engine');
    const dockerd = await ensurePackages({ find: engine, packages: ['docker.io'] });
    const folder = join(ground.folder, 'docker');
    await mkdir(folder);
    const settings = join(folder, 'daemon.json');
    await writeFile(settings, '{}');
    const url = `unix://${join(folder, 'docker.sock')}`;
    const namespace = `killswitch-${process.pid}`;
    const daemon = await ground.daemon('dockerd', dockerd, [
      ...['--host', url, '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
      ...['--pidfile', join(folder, 'docker.pid'), '--config-file', settings],
      ...['--containerd-namespace', namespace, '--containerd-plugins-namespace', `${namespace}-plugins`],
      ...[
        '--bridge=none',
        '--iptables=false',
        '--ip-forward=false',
        '--ip-masq=false',
        '--shutdown-timeout=3',
      ],
    ]);
    await untilReady('dockerd', daemon, () => this.probe(url), 45_000);
    await ground.onStop(() => removeContainers(url));
    return url;
  },

  async furnish(url, ground) {
    return { DOCKER_TEST_IMAGE: await ensureTestImage(url, ground) };
  },
};

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
