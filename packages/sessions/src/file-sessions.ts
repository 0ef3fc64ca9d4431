import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pageOfRecords } from './page-of-records.ts';
import { type SessionRecord, sessionRecordSchema } from './session-record.ts';
import type { SessionStore } from './session-store.ts';

const suffix = '.json';
/** So many files are read at once. */
const mostReads = 64;

/**
 * Sessions as one file each in a folder, which is made if it is not there: they survive the process and a loss of power. For one
 * machine and thousands of sessions: a listing reads all of them.
 */
export function fileSessions(folder: string): SessionStore {
  const fileOf = (sessionId: string): string => join(folder, `${sessionId}${suffix}`);

  async function read(sessionId: string): Promise<SessionRecord | undefined> {
    try {
      const record = sessionRecordSchema.parse(JSON.parse(await readFile(fileOf(sessionId), 'utf8')));
      // A copy, or a file system to which two ids are one name.
      if (record.sessionId !== sessionId)
        throw new Error(`${fileOf(sessionId)} is the file of session "${record.sessionId}"`);
      return record;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    get: read,
    async put(record) {
      const made = await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = fileOf(record.sessionId);
      // No session id begins with a dot. Complete or not at all: the old one stays until the new one is on the disk.
      const draft = join(folder, `.${record.sessionId}`);
      const handle = await open(draft, 'w', 0o600);
      try {
        await handle.writeFile(JSON.stringify(record));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, file);
      await syncFolder(folder);
      if (made !== undefined) await syncFolder(dirname(folder));
    },
    async list(page, workspaceId) {
      const names = await readdir(folder).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      const ids = names.filter((name) => name.endsWith(suffix) && !name.startsWith('.'));
      const records: SessionRecord[] = [];
      while (ids.length > 0) {
        const some = ids.splice(0, mostReads).map((name) => read(name.slice(0, -suffix.length)));
        for (const record of await Promise.all(some)) if (record !== undefined) records.push(record);
      }
      return pageOfRecords(records, page, workspaceId);
    },
  };
}

/** Names are on the disk when their folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
