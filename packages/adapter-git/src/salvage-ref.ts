import { randomUUID } from 'node:crypto';
import { sha256 } from '@agent-killswitch/core';
import { unless } from './errors.ts';
import type { Folder } from './folder.ts';
import type { Keep } from './within-folders.ts';

const maxNameLength = 200;

/**
 * The ref under which the work of an agent is kept. Characters that an id may have and a ref may not are written as `%`
 * and two hexadecimal digits. If it is taken, by an earlier salvage of the same agent or by somebody who forged one, the
 * name goes on with `%` and the first digits of the commit. If none can be made there, since `refs/killswitch` or
 * `refs/killswitch/salvage` is a ref itself, it stands below `refs/killswitch-salvage`. `onSalvage` tells which it is.
 */
export function salvageRef(agentId: string): string {
  return `refs/killswitch/salvage/${refName(agentId)}`;
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

/** The name for when that one is taken. */
const second = (agentId: string, commit: string): string => `${refName(agentId)}%${commit.slice(0, 12)}`;

/**
 * The folders in which a salvage may stand. A ref, a pipe or a symbolic link that bears the name of a folder bars it: then
 * the next is taken, the last of which nobody can foresee.
 */
function places(commit: string): Array<readonly string[]> {
  return [['killswitch', 'salvage'], ['killswitch-salvage'], [`killswitch-salvage-${commit.slice(0, 12)}`]];
}

/** Everything that can be in the way of a salvage, as patterns for `git for-each-ref`. */
export function refPatterns(agentId: string, commit: string): string[] {
  return places(commit).flatMap((place) => {
    const above = place.map((_, at) => ['refs', ...place.slice(0, at + 1)].join('/'));
    const below = [refName(agentId), second(agentId, commit)].map((name) => `${above.at(-1)}/${name}`);
    // Alone and not what is below it: that may be thousands.
    return [...above.map((ref) => ref.replace(/.$/, '[$&]')), ...below];
  });
}

/**
 * Makes a ref that is new in the repository, as git does it with a file of its own, but never through a symbolic link that
 * somebody laid there, and without any hook. One that has the same commit already is success.
 * @param taken what refs that may be in the way point to, packed ones included (see `refPatterns`)
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
  const draft = `ref-${randomUUID()}`;
  await drafts.write(draft, `${commit}\n`, { mode: 0o644, durable: true });
  try {
    for (const place of places(commit)) {
      const folders = await makePlace(repository, place, taken, keep);
      const folder = folders?.at(-1);
      if (folders === undefined || folder === undefined) continue;
      for (const name of [refName(agentId), second(agentId, commit)]) {
        const ref = ['refs', ...place, name].join('/');
        const present = taken.get(ref) ?? (await folder.read(name, 200))?.toString().trim();
        if (present === commit) return ref;
        if (present !== undefined || isAbove(ref, taken)) continue;
        const isOurs = await unless(
          ['EEXIST'],
          drafts.link(draft, folder, name).then(() => true),
        );
        if (isOurs !== true) continue;
        for (const each of folders.toReversed()) await each.sync();
        return ref;
      }
    }
  } finally {
    await drafts.unlink(draft);
  }
  throw new Error(`The refs ${salvageRef(agentId)} are taken`);
}

/** The folders from `refs` down to the place; `undefined` if something there is no folder. */
async function makePlace(
  repository: Folder,
  place: readonly string[],
  taken: ReadonlyMap<string, string>,
  keep: Keep,
): Promise<Folder[] | undefined> {
  let above = await keep(repository.folder('refs'));
  const folders = [above];
  let path = 'refs';
  for (const name of place) {
    path = `${path}/${name}`;
    const folder = taken.has(path)
      ? undefined
      : await keep(unless<Folder | undefined>(['ENOTDIR', 'ELOOP'], above.make(name, 0o755)));
    if (folder === undefined) return undefined;
    folders.push(folder);
    above = folder;
  }
  return folders;
}

/** Whether git holds refs below this name, so that it can be none itself. */
function isAbove(ref: string, taken: ReadonlyMap<string, string>): boolean {
  return [...taken.keys()].some((each) => each.startsWith(`${ref}/`));
}
