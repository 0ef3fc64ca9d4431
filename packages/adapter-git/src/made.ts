import type { BigIntStats } from 'node:fs';
import { unless } from './errors.ts';
import type { Folder } from './folder.ts';

/** What some file systems say to a second name for a file. */
const noLinks = ['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EMLINK'];
const maxNotes = 100;

/** A folder that was made as an agent's worktree. */
export interface Note {
  readonly identity: string;
  /** Its `.git` file, by the name that is ours. */
  readonly pointer: BigIntStats;
}

/**
 * Notes which folder was made as an agent's worktree, so that it is known again wherever it is moved: a second name for its
 * `.git` file, `<root>/.agent-killswitch/made/<agentId>/<identity of the folder>`. As long as that file has yet another
 * name, the worktree still lies somewhere.
 */
export async function noteMade(made: Folder, worktrees: Folder, agentId: string): Promise<void> {
  const stat = await worktrees.stat(agentId);
  if (stat === undefined) return;
  const notes = await made.make(agentId);
  try {
    const tree = await worktrees.folder(agentId);
    try {
      await unless([...noLinks, 'EEXIST', 'ENOENT'], tree.link('.git', notes, identityOf(stat)));
    } finally {
      await tree.close();
    }
  } finally {
    await notes.close();
  }
}

/** What is noted of an agent's worktree: one, or several after it was lost and made again. */
export async function notesOf(made: Folder, agentId: string): Promise<Note[]> {
  const found: Note[] = [];
  const notes = await unless(['ENOENT'], made.folder(agentId));
  if (notes === undefined) return found;
  try {
    for await (const { name } of notes.entries()) {
      const pointer = await notes.stat(name);
      if (pointer !== undefined) found.push({ identity: name.toString(), pointer });
      if (found.length === maxNotes) break;
    }
    return found;
  } finally {
    await notes.close();
  }
}

export async function forgetMade(made: Folder, agentId: string): Promise<void> {
  for (const { identity } of await notesOf(made, agentId)) {
    const notes = await unless(['ENOENT'], made.folder(agentId));
    try {
      await unless(['ENOENT'], notes?.unlink(identity) ?? Promise.resolve());
    } finally {
      await notes?.close();
    }
  }
  await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], made.rmdir(agentId));
}

/**
 * A folder is what it was if its number and its time of birth are: the number alone is given away again. Where no time of
 * birth is kept, none is known again.
 */
export function identityOf({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino}-${birthtimeNs}`;
}
