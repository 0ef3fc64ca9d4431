import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitFailedError } from './errors.ts';
import type { Folder } from './folder.ts';
import { type GitCall, git } from './git.ts';
import { joined, maxRecords, records } from './tree.ts';
import type { View } from './view.ts';

const maxIndexBytes = 268_435_456;
const maxShared = 8;
const maxLooked = 2_000;
const sharedName = /^sharedindex\.((?:[0-9a-f]{40}|[0-9a-f]{64}))$/;

/** What an index says of a path. */
export interface IndexEntry {
  readonly mode: string;
  readonly oid: string;
  /** 0; in a conflict 1, 2 and 3: what both come from, ours, theirs. */
  readonly stage: number;
  readonly path: Buffer;
  /** Not expected in the working tree (sparse checkouts). */
  readonly isSkipped: boolean;
}

/**
 * What the index of a registration names; nothing if there is none. Flags and dates are left behind: git would look away
 * for their sake.
 * @returns `unreadable` if there is one, and it cannot be read
 */
export async function readEntries(
  view: View,
  registration: Folder | undefined,
  copyName: string,
): Promise<readonly IndexEntry[] | 'unreadable' | 'none'> {
  const index = await registration?.read('index', maxIndexBytes);
  if (registration === undefined || index === undefined)
    return (await registration?.stat('index')) === undefined ? 'none' : 'unreadable';
  const file = join(view.path, copyName);
  await place(view, copyName, index);
  await copyShared(view, registration, index);
  const call = { ...view.call, env: { ...view.call.env, GIT_INDEX_FILE: file } };
  try {
    const options = { maxBytes: maxIndexBytes };
    const { stdout, isCut } = await git(call, ['ls-files', '-s', '-v', '-z'], options);
    const found = records(stdout);
    return isCut || found.length >= maxRecords ? 'unreadable' : found.map(entryOf);
  } catch {
    call.signal.throwIfAborted();
    return 'unreadable';
  }
}

/** Fills an index that is not there yet, with no dates, so that git compares contents. @throws GitFailedError */
export async function writeEntries(call: GitCall, entries: readonly IndexEntry[]): Promise<void> {
  const lines = entries.map(({ mode, oid, stage, path }) =>
    Buffer.concat([Buffer.from(`${mode} ${oid} ${stage}\t`), path]),
  );
  await git(call, ['update-index', '--replace', '-z', '--index-info'], { input: joined(lines) });
  // Names that git takes from nobody it passes over.
  const { stdout } = await git(call, ['ls-files', '-s', '-z'], { maxBytes: maxIndexBytes });
  if (records(stdout).length !== entries.length)
    throw new GitFailedError('Git does not take all names of the index');
}

function entryOf(record: Buffer): IndexEntry {
  const tab = record.indexOf('\t');
  const [tag = 'H', mode = '', oid = '', stage] = record.subarray(0, tab).toString('latin1').split(' ');
  // A lower case letter: assumed unchanged besides.
  return {
    mode,
    oid,
    stage: Number(stage),
    path: record.subarray(tab + 1),
    isSkipped: tag.toUpperCase() === 'S',
  };
}

/** Of a split index most stands in another file, which it names by its hash. */
async function copyShared(view: View, registration: Folder, index: Buffer): Promise<void> {
  let looked = 0;
  let copied = 0;
  for await (const { name } of registration.entries()) {
    looked += 1;
    if (looked > maxLooked || copied === maxShared) return;
    const hash = sharedName.exec(name.toString('latin1'))?.[1];
    if (hash === undefined || !index.includes(Buffer.from(hash, 'hex'))) continue;
    const shared = await registration.read(name, maxIndexBytes);
    if (shared === undefined) continue;
    await place(view, name.toString('latin1'), shared);
    copied += 1;
  }
}

/** In the view's own folder, where only this process writes. */
async function place({ path, call: { user } }: View, name: string, content: Buffer): Promise<void> {
  const file = join(path, name);
  await writeFile(file, content, { mode: 0o600 });
  if (user !== undefined) await chown(file, user.uid, user.gid);
}
