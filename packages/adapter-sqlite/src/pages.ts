import { type Agent, InvalidInputError, type Page, type PageRequest } from '@agent-killswitch/core';
import { StateRecordError } from './errors.ts';
import type { AgentRow } from './statements.ts';

/** Most rows a page reads, whatever its limit: what is checked at once keeps the event loop for a few milliseconds. */
const mostRows = 1_000;

/** Where a page begins, and the first agent of those before it whose record could not be read. */
interface Position {
  readonly after: number;
  readonly broken?: number;
}

/**
 * One page. A record that cannot be read does not hide the others: they are all listed first, and where the listing
 * would have ended it rejects instead. So a sweep reaches every other agent and still never finds its scope empty.
 * @throws StateRecordError
 */
export function agentPage(
  request: PageRequest,
  rowsAfter: (seq: number, limit: number) => readonly AgentRow[],
  read: (row: AgentRow) => Agent,
  rowAt: (seq: number) => AgentRow | undefined,
): Page<Agent> {
  const start = positionOf(request);
  const limit = Math.min(request.limit, mostRows);
  const rows = rowsAfter(start.after, limit);
  const items: Agent[] = [];
  let broken = start.broken;
  for (const row of rows) {
    try {
      items.push(read(row));
    } catch (error) {
      if (!(error instanceof StateRecordError)) throw error;
      broken ??= row.seq;
    }
  }
  const after = rows.at(-1)?.seq ?? start.after;
  const more = rows.length === limit;
  if (more || (broken !== undefined && items.length > 0)) return { items, cursor: cursorOf(after, broken) };
  const row = broken === undefined ? undefined : rowAt(broken);
  return row === undefined ? { items } : { items: [read(row)] };
}

function cursorOf(after: number, broken: number | undefined): string {
  return broken === undefined ? String(after) : `${after}!${broken}`;
}

function positionOf({ cursor }: PageRequest): Position {
  if (cursor === undefined) return { after: 0 };
  const match = /^(\d{1,15})(?:!(\d{1,15}))?$/.exec(cursor);
  if (match === null) throw new InvalidInputError('page', ['cursor: is not one that this store gave']);
  const after = Number(match[1]);
  return match[2] === undefined ? { after } : { after, broken: Number(match[2]) };
}
