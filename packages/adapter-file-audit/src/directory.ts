import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Makes the directory (mode 0700) and what is missing above it, durably: a directory is an entry in the one above. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let path = resolve(directory); ; path = dirname(path)) {
    await syncDirectory(path);
    if (path === top || path === dirname(path)) return;
  }
}

/** Makes the names in it durable. Windows cannot, and does not need to on NTFS. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
