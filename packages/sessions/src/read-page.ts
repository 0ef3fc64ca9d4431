import { describeError } from '@agent-killswitch/core';
import { sessionIdAt } from './session-place.ts';
import { type SessionRecord, UnreadableRecordError } from './session-record.ts';
import type { SessionRecordPage } from './session-store.ts';

/** A page ends early when its checkpoints have this many characters. */
const mostCharacters = 4 * 2 ** 20;
const firstReads = 8;
/** So many records are read at once. */
const mostReads = 64;

/**
 * Reads the records at these places, a few in each turn of the event loop (I5), until there are `limit` or they are large enough.
 * @param places the newest first; one more than `limit` if there is one
 * @param get `undefined` for a record that is gone; rejects with UnreadableRecordError if only this one cannot be read
 */
export async function readPage(
  places: readonly string[],
  limit: number,
  get: (sessionId: string) => Promise<SessionRecord | undefined>,
): Promise<SessionRecordPage> {
  const items: SessionRecord[] = [];
  const damaged: Array<{ sessionId: string; fault: string }> = [];
  const wanted = places.slice(0, limit);
  let done = 0;
  let characters = 0;
  const read = async (sessionId: string): Promise<SessionRecord | undefined> => {
    try {
      return await get(sessionId);
    } catch (error) {
      if (!(error instanceof UnreadableRecordError)) throw error;
      damaged.push({ sessionId, fault: describeError(error) });
      return undefined;
    }
  };
  for (let size = firstReads; done < wanted.length && characters < mostCharacters; ) {
    const some = wanted.slice(done, done + size);
    done += some.length;
    for (const record of await Promise.all(some.map((place) => read(sessionIdAt(place))))) {
      if (record === undefined) continue;
      items.push(record);
      characters += record.checkpoint?.json.length ?? 0;
    }
    const left = Math.floor(((mostCharacters - characters) * done) / Math.max(characters, 1));
    size = Math.min(Math.max(left, 1), mostReads);
  }
  const last = wanted[done - 1];
  return {
    items,
    ...(places.length > done && last !== undefined ? { cursor: last } : {}),
    ...(damaged.length > 0 ? { damaged } : {}),
  };
}
