import { join, resolve } from 'node:path';
import { NotOurWorktreeError, RepositoryRefusedError, systemCode, unless } from './errors.ts';
import type { Folder } from './folder.ts';
import type { Repository } from './repository.ts';
import type { Keep } from './within-folders.ts';

/** Where registrations of removed worktrees wait in a repository until they have been salvaged. */
const asideName = 'agent-killswitch';
const maxPathBytes = 8_192;
/** Whoever fills the folder with more must not make a kill wait. */
const maxLooked = 2_000;
const maxNested = 50;

/** Ids that git takes unchanged as the name of a registration. */
const plainId = /^(?!.*(?:\.\.|\.lock$|\.$))[A-Za-z0-9_@|+=-][A-Za-z0-9_@|+=.-]*$/;

/**
 * The name under which a worktree is registered in its repository (`worktrees/<name>`): the registration that names its
 * path, or one of the agent's name that names none any more, which is what git's own removal leaves when it is cut off.
 * What the worktree's own `.git` file says is not asked: whoever works in it can write that.
 * @throws NotOurWorktreeError if the registration of the agent's name has been pointed elsewhere
 */
export async function findRegistration(
  { gitDir, folder }: Repository,
  path: string,
  keep: Keep,
): Promise<string | undefined> {
  const registrations = await keep(unless(['ENOENT', 'ENOTDIR'], folder.folder('worktrees')));
  if (registrations === undefined) return undefined;
  const agentId = path.slice(path.lastIndexOf('/') + 1);
  const place = (name: string): Promise<Place> =>
    placeOf(registrations, name, registrationPath(gitDir, name));
  // As git named it, nearly always.
  const own = plainId.test(agentId) ? await place(agentId) : 'none';
  if (own === path) return agentId;
  let looked = 0;
  for await (const { name } of registrations.entries()) {
    if ((await place(name.toString())) === path) return name.toString();
    looked += 1;
    if (looked >= maxLooked)
      throw new NotOurWorktreeError(`Registrations of ${gitDir} not touched: more than ${maxLooked}`);
  }
  if (own === 'nowhere') return agentId;
  if (own === 'none' || own.startsWith(path.slice(0, -agentId.length))) return undefined;
  throw new NotOurWorktreeError(
    `Registration worktrees/${agentId} not touched: it names ${JSON.stringify(own.slice(0, 200))}`,
  );
}

/** The worktree's path; or that the registration names none; or that there is no such registration. */
type Place = string | 'nowhere' | 'none';

async function placeOf(registrations: Folder, name: string, from: string): Promise<Place> {
  const opening = registrations.folder(name);
  const registration = await unless(['ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG'], opening);
  if (registration === undefined) return 'none';
  try {
    const text = (await registration.read('gitdir', maxPathBytes))?.toString().replace(/\n+$/, '');
    // Newer versions of git can be told to write it relative to the registration.
    return text?.endsWith('/.git') ? resolve(from, text.slice(0, -'/.git'.length)) : 'nowhere';
  } finally {
    await registration.close();
  }
}

/** Registrations of worktrees that were made within this one, as far as there are not too many. */
export async function nestedRegistrations(
  { gitDir, folder }: Repository,
  path: string,
  keep: Keep,
): Promise<{ found: readonly Folder[]; isCut: boolean }> {
  const found: Folder[] = [];
  const registrations = await keep(unless(['ENOENT', 'ENOTDIR'], folder.folder('worktrees')));
  if (registrations === undefined) return { found, isCut: false };
  let looked = 0;
  for await (const { name } of registrations.entries()) {
    if (looked === maxLooked || found.length === maxNested) return { found, isCut: true };
    looked += 1;
    const from = registrationPath(gitDir, name.toString());
    if (!(await placeOf(registrations, name.toString(), from)).startsWith(`${path}/`)) continue;
    const nested = await keep(unless(['ENOENT', 'ENOTDIR', 'EACCES'], registrations.folder(name)));
    if (nested !== undefined) found.push(nested);
  }
  return { found, isCut: false };
}

/** Takes a registration out of git's sight. Gone meanwhile is success. @throws RepositoryRefusedError */
export async function moveRegistration(
  { gitDir, folder }: Repository,
  name: string,
  newName: string,
  keep: Keep,
): Promise<void> {
  try {
    const aside = await keep(folder.make(asideName));
    const registrations = await keep(unless(['ENOENT'], folder.folder('worktrees')));
    if (registrations === undefined) return;
    await unless(['ENOENT'], registrations.move(name, aside, newName));
    // As git does when the last one goes.
    await unless(['ENOTEMPTY', 'EEXIST', 'ENOENT'], folder.rmdir('worktrees'));
  } catch (thrown) {
    const why = `${systemCode(thrown) ?? thrown}`;
    throw new RepositoryRefusedError(`Registration worktrees/${name} of ${gitDir} stays: ${why}`, {
      cause: thrown,
    });
  }
}

/** The folder of registrations that were moved aside; `undefined` if there is none. */
export function asideRegistrations(repository: Folder): Promise<Folder | undefined> {
  return unless(['ENOENT', 'ENOTDIR'], repository.folder(asideName));
}

/** Removes the folder of registrations if the last one is gone. */
export async function tidyRegistrations(repository: Folder): Promise<void> {
  await unless(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'], repository.rmdir(asideName));
}

/** Where a registration lies: `<gitDir>/worktrees/<name>`. */
export function registrationPath(gitDir: string, name: string): string {
  return join(gitDir, 'worktrees', name);
}
