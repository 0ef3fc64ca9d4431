import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

/** Whether this process may mount file systems; without it these tests are skipped, as their names say. */
export const mayMount: boolean = process.platform === 'linux' && process.getuid?.() === 0 && canMount();

export function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
    encoding: 'utf8',
  });
}

/** A file system in memory, `size` as in `1m`. */
export async function memoryFileSystem(size: string): Promise<string> {
  const directory = await temporaryDirectory();
  run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory);
  unmountWhenFinished(directory);
  return directory;
}

/** An ext4 of 64 MB whose disk is a sparse file on a file system of `diskSize`: its fsync fails when that is full. */
export async function thinExt4(diskSize: string) {
  const disk = await memoryFileSystem(diskSize);
  const directory = join(await temporaryDirectory(), 'ext4');
  const image = join(disk, 'image');
  await mkdir(directory);
  run('truncate', '-s', '64M', image);
  run('mkfs.ext4', '-q', '-b', '4096', '-O', '^has_journal', '-E', 'lazy_itable_init=1,nodiscard', image);
  const device = run('losetup', '--find', '--show', image).trim();
  onTestFinished(() => void run('losetup', '--detach', device));
  // A loop device takes a write that its disk took in part for a success; single blocks are taken whole or not at all.
  await writeFile(`/sys/block/${basename(device)}/queue/max_sectors_kb`, '4');
  run('mount', '-o', 'errors=continue', device, directory);
  unmountWhenFinished(directory);
  return {
    directory,
    /** Lets every write hang until the returned function is called. */
    freeze(): () => void {
      const other = mkdtempSync(join(tmpdir(), 'file-audit-'));
      run('mount', '--bind', directory, other);
      run('fsfreeze', '-f', other);
      let frozen = true;
      const thaw = (): void => {
        if (!frozen) return;
        frozen = false;
        run('fsfreeze', '-u', other);
        run('umount', other);
        rmdirSync(other);
      };
      onTestFinished(thaw);
      return thaw;
    },
    grow: (size: string) => run('mount', '-o', `remount,size=${size}`, disk),
    /** Forgets every cached page: what is read afterwards comes from the disk. */
    remount() {
      run('umount', directory);
      run('mount', device, directory);
    },
  };
}

/** Resolves when a thread of this process hangs in the kernel (state D, proc(5)). */
export async function untilBlocked(): Promise<void> {
  const giveUp = performance.now() + 5_000;
  while (performance.now() < giveUp) {
    for (const task of await readdir('/proc/self/task')) {
      const stat = await readFile(`/proc/self/task/${task}/stat`, 'latin1').catch(() => '');
      if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('D')) return;
    }
  }
  throw new Error('no thread hangs in the kernel');
}

/** Lazily: a test that failed may have left files open, and its mount must go all the same. */
function unmountWhenFinished(directory: string): void {
  onTestFinished(() => void run('umount', '--lazy', directory));
}

function canMount(): boolean {
  try {
    run('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt');
    return true;
  } catch {
    return false;
  }
}
