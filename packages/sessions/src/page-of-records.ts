import type { Page, PageRequest } from '@agent-killswitch/core';
import { placeOf, type SessionRecord } from './session-record.ts';

/** A page out of all records there are, the newest first. The cursor is the place of the last one given. */
export function pageOfRecords(
  records: readonly SessionRecord[],
  { limit, cursor }: PageRequest,
  workspaceId: string | undefined,
): Page<SessionRecord> {
  const left = records
    .map((record) => ({ place: placeOf(record), record }))
    .filter(({ record }) => workspaceId === undefined || record.workspaceId === workspaceId)
    .filter(({ place }) => cursor === undefined || place < cursor)
    .sort((a, b) => (a.place < b.place ? 1 : -1));
  const given = left.slice(0, limit);
  const last = given.at(-1);
  const items = given.map(({ record }) => record);
  return left.length > limit && last !== undefined ? { items, cursor: last.place } : { items };
}
