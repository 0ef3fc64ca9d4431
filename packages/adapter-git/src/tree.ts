import { Folder, type Name } from './folder.ts';

const slash = '/'.charCodeAt(0);

/** Most paths that are dealt with; their bytes are limited by what is read from git. */
export const maxRecords = 1_000_000;

/** Splits what git says with `-z`. */
export function records(output: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let from = 0; ; ) {
    const end = output.indexOf(0, from);
    // What follows the last NUL is a path that was cut off.
    if (end === -1 || found.length === maxRecords) return found;
    found.push(output.subarray(from, end));
    from = end + 1;
  }
}

/** The opposite: paths for git to read with `-z`. */
export function joined(paths: readonly Buffer[]): Buffer {
  const nul = Buffer.alloc(1);
  return Buffer.concat(paths.flatMap((path) => [path, nul]));
}

/** The components of a path within a working tree. */
export function components(path: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let from = 0; from < path.length; ) {
    const end = path.indexOf(slash, from);
    found.push(path.subarray(from, end === -1 ? path.length : end));
    from = end === -1 ? path.length : end + 1;
  }
  return found;
}

/**
 * Does something in a folder of a working tree that is reached step by step, and so never lies outside of it. `force`: folders
 * that are closed are opened.
 */
export async function inFolder<T>(
  tree: string,
  path: readonly Name[],
  work: (folder: Folder) => Promise<T>,
  { force = true } = {},
): Promise<T> {
  let folder = await Folder.open(tree);
  try {
    for (const name of path) {
      const inner = await folder.folder(name, { force });
      await folder.close();
      folder = inner;
    }
    return await work(folder);
  } finally {
    await folder.close();
  }
}
