import { randomUUID } from 'node:crypto';
import { sha256 } from '@agent-killswitch/core';
import { unless } from './errors.ts';
import type { Folder } from './folder.ts';
import type { Keep } from './within-folders.ts';

const prefix = 'refs/killswitch/salvage/';
const maxNameLength = 200;

/**
 * The ref under which the work of an agent is kept. Characters that an id may have and a ref may not are written as `%`
 * and two hexadecimal digits. If it is taken, by an earlier salvage of the same agent or by somebody who forged one, the
 * name goes on with `%` and the first digits of the commit.
 */
export function salvageRef(agentId: string): string {
  return `${prefix}${refName(agentId)}`;
}

function refName(agentId: string): string {
  const written = (text: string): string =>
    text.replace(/./g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  const name = agentId
    .replace(/[~:]/g, written)
    .replace(/\.(?=\.|$|lock$)/g, written)
    .replace(/@$/, written);
  // A file's name has room for 255.
  return name.length > maxNameLength
    ? `${name.slice(0, maxNameLength - 20)}%${sha256(agentId).slice(0, 16)}`
    : name;
}

/**
 * Makes a ref that is new in the repository, as git does it with a file of its own, but never through a symbolic link that
 * somebody laid there, and without any hook. One that has the same commit already is success.
 * @param taken what the refs of this name point to, packed ones included
 * @returns the ref
 */
export async function writeRef(
  repository: Folder,
  agentId: string,
  commit: string,
  taken: ReadonlyMap<string, string>,
  keep: Keep,
): Promise<string> {
  const drafts = await keep(repository.make('agent-killswitch'));
  const refs = await keep(repository.folder('refs'));
  const ours = await keep(refs.make('killswitch', 0o755));
  const place = await keep(ours.make('salvage', 0o755));
  const draft = `ref-${randomUUID()}`;
  await drafts.write(draft, `${commit}\n`, { mode: 0o644, durable: true });
  try {
    for (const name of [refName(agentId), `${refName(agentId)}%${commit.slice(0, 12)}`]) {
      const ref = `${prefix}${name}`;
      const present = taken.get(ref) ?? (await place.read(name, 200))?.toString().trim();
      if (present === commit) return ref;
      if (present !== undefined) continue;
      const isOurs = await unless(
        ['EEXIST'],
        drafts.link(draft, place, name).then(() => true),
      );
      if (isOurs !== true) continue;
      for (const folder of [place, ours, refs]) await folder.sync();
      return ref;
    }
  } finally {
    await drafts.unlink(draft);
  }
  throw new Error(`The refs ${salvageRef(agentId)} are taken`);
}
