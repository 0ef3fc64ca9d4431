import { readFile } from 'node:fs/promises';

/** Something mounted, and of what kind: `fuse.sshfs`, `ext4`. */
export interface Mount {
  readonly path: string;
  readonly type: string;
}

/**
 * What is mounted at or below a path, by the kernel's own list. It is asked before anything is looked at: a file system that
 * an agent serves itself may never answer, and would keep one of Node's few I/O threads for ever.
 */
export async function mountsIn(path: string): Promise<Mount[]> {
  const table = await readFile('/proc/self/mountinfo', 'latin1');
  return table.split('\n').flatMap((line) => {
    const [fields = '', source = ''] = line.split(' - ', 2);
    const place = unescaped(fields.split(' ')[4] ?? '');
    const isIn = place === path || place.startsWith(`${path}/`);
    return isIn ? [{ path: place, type: source.split(' ')[0] ?? '' }] : [];
  });
}

/** White space and backslashes are written as three octal digits; the rest is bytes. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}
