import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeError, idSchema } from '@agent-killswitch/core';
import { ServerConfigError } from './config.ts';

/**
 * The id of the host whose state a folder holds: the same after every restart, different from every other folder's.
 * `isUsed`: there was state in the folder before, so that the id must be there too.
 * @throws ServerConfigError
 */
export async function hostIdIn(stateDir: string, isUsed: boolean): Promise<string> {
  const file = join(stateDir, 'host-id');
  const wayOut = 'restore it; each line of the journal names it as hostId';
  try {
    if (!existsSync(file)) {
      if (isUsed)
        throw new ServerConfigError(
          `${file} is missing, and the agents in the state are that host's: ${wayOut}`,
        );
      await create(file, `host_${randomUUID()}`);
    }
    const hostId = idSchema.safeParse((await readFile(file, 'utf8')).trim());
    if (hostId.success) return hostId.data;
  } catch (error) {
    if (error instanceof ServerConfigError) throw error;
    throw new ServerConfigError(`Cannot use ${file}: ${describeError(error)}`, { cause: error });
  }
  throw new ServerConfigError(`${file} does not hold a host id: ${wayOut}`);
}

/** @throws ServerConfigError */
export async function makeStateDir(stateDir: string): Promise<void> {
  try {
    await makeFolder(stateDir);
  } catch (error) {
    throw new ServerConfigError(`Cannot use STATE_DIR ${stateDir}: ${describeError(error)}`, {
      cause: error,
    });
  }
  if (!statSync(stateDir).isDirectory()) throw new ServerConfigError(`STATE_DIR ${stateDir} is not a folder`);
}

/** Complete or not at all, and the first of two wins. */
async function create(file: string, content: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, content, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Not by `recursive`, which never returns below a folder such as /proc. */
async function makeFolder(path: string): Promise<void> {
  const make = () => mkdir(path, { mode: 0o700 });
  try {
    await make();
  } catch (error) {
    if (isCode(error, 'EEXIST')) return;
    if (!isCode(error, 'ENOENT') || dirname(path) === path || existsSync(dirname(path))) throw error;
    await makeFolder(dirname(path));
    await make();
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
