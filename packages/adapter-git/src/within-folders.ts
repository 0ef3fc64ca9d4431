import type { Folder } from './folder.ts';

/** Opens folders for as long as `work` lasts: whatever is given to `keep` is closed afterwards. */
export async function withinFolders<T>(work: (keep: Keep) => Promise<T>): Promise<T> {
  const opened: Folder[] = [];
  try {
    return await work(async (opening) => {
      const folder = await opening;
      if (folder !== undefined) opened.push(folder);
      return folder;
    });
  } finally {
    for (const folder of opened.reverse()) await folder.close();
  }
}

export type Keep = <F extends Folder | undefined>(opening: Promise<F>) => Promise<F>;
