import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { errnoOf, JournalLockedError } from './journal-errors.ts';
import { mayBeAlive, ownIdentity, processIdentitySchema } from './process-identity.ts';

const ownerSchema = processIdentitySchema.extend({ token: z.uuid() });
type Owner = z.infer<typeof ownerSchema>;

/** The right to write one journal, held until released or until this process dies. */
export interface WriterLock {
  /** @throws Error if the lock file is gone, JournalLockedError if it is another process's. */
  confirm(): Promise<void>;
  /** Never rejects. */
  release(): Promise<void>;
}

/**
 * Takes the lock file at `path`, over from a dead process too.
 *
 * A lock is a file that is linked into place whole, so nobody reads half of one, and it has a token of its own. A dead
 * owner's lock is claimed by linking `<path>.<its token>.taken`, which only one process can ever do; who claims then
 * replaces the lock by its own and removes the claim, in this order. Whoever finds, after claiming, that the lock is not
 * the one it judged any more, was late, and starts again. If the claimer dies in between, its claim is claimed in turn.
 * @throws JournalLockedError if the owner may be alive.
 */
export async function takeLock(path: string): Promise<WriterLock> {
  const own: Owner = { ...(await ownIdentity()), token: randomUUID() };
  const draft = `${path}.${own.token}`;
  await writeDurably(draft, `${JSON.stringify(own)}\n`);
  try {
    while (!(await linkNew(draft, path)) && !(await takeOver(path, draft))) {}
  } finally {
    await remove(draft);
  }
  return {
    async confirm() {
      const holder = await readOwner(path);
      if (holder === undefined) throw new Error(`its lock ${path} is gone`);
      if (holder.token !== own.token) throw new JournalLockedError(path, holder.pid);
    },
    async release() {
      const holder = await readOwner(path).catch(() => undefined);
      if (holder?.token === own.token) await remove(path).catch(() => {});
    },
  };
}

/** Whether this process is the owner now; `false` means that things moved and have to be looked at again. */
async function takeOver(path: string, draft: string): Promise<boolean> {
  const judged = await readOwner(path);
  if (judged === undefined) return false;
  const claims: string[] = [];
  for (let owner: Owner | undefined = judged; owner !== undefined; ) {
    if (await mayBeAlive(owner)) throw new JournalLockedError(path, owner.pid);
    const claim: string = `${path}.${owner.token}.taken`;
    claims.push(claim);
    if (await linkNew(draft, claim)) {
      const current = await readOwner(path);
      if (current?.token === judged.token) {
        await rename(draft, path);
        for (const done of claims) await remove(done);
        return true;
      }
      await remove(claim);
      return false;
    }
    owner = await readOwner(claim);
  }
  return false;
}

async function readOwner(path: string): Promise<Owner | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    throw new JournalLockedError(path);
  }
}

/** Fsynced, so that a power loss never leaves an empty lock under the name it is linked to. */
async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Whether the name was free. */
async function linkNew(existing: string, name: string): Promise<boolean> {
  try {
    await link(existing, name);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}
