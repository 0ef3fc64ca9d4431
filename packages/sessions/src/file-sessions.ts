import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidConfigurationError } from '@agent-killswitch/core';
import { DurableFiles, isMissing, makeFolder } from './durable-files.ts';
import { FileListing } from './file-listing.ts';
import { readPage } from './read-page.ts';
import { recordOf, type SessionRecord, UnreadableRecordError } from './session-record.ts';
import type { SessionStore } from './session-store.ts';

/**
 * Sessions as one file each in a folder, which is made if it is not there: they survive the process and a loss of power. For one
 * machine. A listing goes by names alone, and reads just the files of its page.
 * @throws InvalidConfigurationError
 */
export function fileSessions(folder: string): SessionStore {
  if (typeof folder !== 'string' || folder === '')
    throw new InvalidConfigurationError(['fileSessions folder: must be the path of a folder']);
  const fileOf = (sessionId: string): string => join(folder, `${sessionId}.json`);
  const files = new DurableFiles();
  // No session id begins with a dot.
  const listing = new FileListing(join(folder, '.listed'));

  async function get(sessionId: string): Promise<SessionRecord | undefined> {
    const file = fileOf(sessionId);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw new UnreadableRecordError(file, cause);
    }
    return recordOf(sessionId, text, file);
  }

  return {
    get,
    async put(record) {
      await makeFolder(folder);
      await Promise.all([listing.add(record), files.write(fileOf(record.sessionId), JSON.stringify(record))]);
    },
    async list({ limit, cursor }, workspaceId) {
      return readPage(await listing.newest(limit + 1, cursor, workspaceId), limit, get);
    },
    async remove(session) {
      await unlink(fileOf(session.sessionId)).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
      await listing.remove(session);
    },
  };
}
