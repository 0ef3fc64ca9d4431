import { copyFile, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { must, run } from '../lib/run.ts';
import { ensurePackages, which } from './apt.ts';
import { dockerCli } from './docker.ts';
import type { Ground } from './ground.ts';

/** The image that tests make containers of: busybox and its applets, nothing else. */
export const testImage = 'agent-killswitch-test:busybox';

/** Makes the test image out of this machine's busybox, since no registry may be in reach. Removed again at the stop. */
export async function ensureTestImage(url: string, ground: Ground): Promise<string> {
  const env = { ...process.env, DOCKER_HOST: url };
  if ((await run('docker', ['image', 'inspect', testImage], { env })).code === 0) return testImage;
  const busybox = await ensurePackages({ find: staticBusybox, packages: ['busybox-static'] });
  const work = await mkdtemp(join(ground.folder, 'image-'));
  const bin = join(work, 'rootfs/bin');
  for (const folder of ['bin', 'tmp', 'etc']) await mkdir(join(work, 'rootfs', folder), { recursive: true });
  await copyFile(busybox, join(bin, 'busybox'));
  const applets = (await must(busybox, ['--list'])).trim().split('\n');
  for (const applet of applets) if (applet !== 'busybox') await symlink('busybox', join(bin, applet));
  const archive = join(work, 'rootfs.tar');
  await must('tar', ['-C', join(work, 'rootfs'), '--owner=0', '--group=0', '-cf', archive, '.']);
  await dockerCli(url, ['import', '--change', 'CMD ["sh"]', archive, testImage]);
  await ground.onStop(async () => {
    await dockerCli(url, ['image', 'rm', '-f', testImage]);
  });
  return testImage;
}

/** A busybox that needs no shared library. */
async function staticBusybox(): Promise<string | undefined> {
  const path = await which('busybox');
  if (path === undefined) return undefined;
  const { stdout, stderr } = await run('ldd', [path]);
  return /not a dynamic executable|statically linked/.test(stdout + stderr) ? path : undefined;
}
