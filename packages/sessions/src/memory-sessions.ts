import { setImmediate } from 'node:timers/promises';
import { NewestPlaces } from './newest-places.ts';
import { readPage } from './read-page.ts';
import { placeOf } from './session-place.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';

/** So many are looked at in one turn of the event loop (I5). */
const turnOf = 5_000;

/** Sessions in this process's memory: they and their checkpoints end with it. */
export function memorySessions(): SessionStore {
  const records = new Map<string, SessionRecord>();
  const get = async (sessionId: string) => structuredClone(records.get(sessionId));
  return {
    get,
    async put(record) {
      records.set(record.sessionId, structuredClone(record));
    },
    async list({ limit, cursor }, workspaceId) {
      const newest = new NewestPlaces(limit + 1, cursor);
      let looked = 0;
      for (const record of records.values()) {
        looked += 1;
        if (looked % turnOf === 0) await setImmediate();
        if (workspaceId === undefined || record.workspaceId === workspaceId) newest.add(placeOf(record));
      }
      return readPage(newest.found, limit, get);
    },
    async remove({ sessionId }) {
      records.delete(sessionId);
    },
  };
}
