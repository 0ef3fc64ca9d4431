import { pageOfRecords } from './page-of-records.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';

/** Sessions in this process's memory: they and their checkpoints end with it. */
export function memorySessions(): SessionStore {
  const records = new Map<string, SessionRecord>();
  return {
    async put(record) {
      records.set(record.sessionId, structuredClone(record));
    },
    get: async (sessionId) => structuredClone(records.get(sessionId)),
    list: async (page, workspaceId) =>
      structuredClone(pageOfRecords([...records.values()], page, workspaceId)),
  };
}
