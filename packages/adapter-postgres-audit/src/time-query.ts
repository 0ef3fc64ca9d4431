import { type AuditRecord, parseInput } from '@agent-killswitch/core';
import { z } from 'zod';
import { latest, recordOf, type Stored, storedColumns, timeOf } from './read.ts';

/** Records of a workspace whose events happened in a span of time, by the clocks of the hosts that say so. */
export interface TimeQuery {
  readonly workspaceId: string;
  /** Included. Default: the first event. */
  readonly from?: Date;
  /** Not included. Default: no end. */
  readonly until?: Date;
  readonly newestFirst?: boolean;
  /** Most records of the page, 1 to 1,000. Default 100. */
  readonly limit?: number;
  /** From the page before, of the same query. */
  readonly cursor?: string;
}

export interface TimePage {
  readonly records: readonly AuditRecord[];
  /** Where the following page begins; absent after the last one. */
  readonly cursor?: string;
}

const querySchema = z.strictObject({
  workspaceId: z.string().min(1).max(128),
  from: z.date().optional(),
  until: z.date().optional(),
  newestFirst: z.boolean().default(false),
  limit: z.number().int().min(1).max(1_000).default(100),
  cursor: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z~\d{1,18}$/, 'is none that a page gave')
    .optional(),
});

export interface TimedRow extends Stored {
  readonly at: string;
}

/** @throws InvalidInputError */
export function timeStatement(query: TimeQuery) {
  const asked = parseInput('time query', querySchema, query);
  const { workspaceId, from, until, newestFirst, limit, cursor } = asked;
  const values: unknown[] = [workspaceId];
  const conditions = ['workspace_id = $1'];
  if (from !== undefined) conditions.push(`event_time >= $${values.push(timeOf(from.getTime()))}`);
  if (until !== undefined && until.getTime() <= latest)
    conditions.push(`event_time < $${values.push(timeOf(until.getTime()))}`);
  const [at, position] = cursor?.split('~') ?? [];
  if (at !== undefined) {
    const place = `($${values.push(at)}::timestamptz, $${values.push(position)}::bigint)`;
    conditions.push(`(event_time, position) ${newestFirst ? '<' : '>'} ${place}`);
  }
  const way = newestFirst ? ' DESC' : '';
  return {
    text: `SELECT ${storedColumns}, to_char(event_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
      FROM killswitch_audit.records WHERE ${conditions.join(' AND ')}
      ORDER BY event_time${way}, position${way} LIMIT ${limit + 1}`,
    values,
    pageOf(rows: readonly TimedRow[]): TimePage {
      const records = rows.slice(0, limit).map(recordOf);
      const last = rows[limit - 1];
      return rows.length > limit && last !== undefined
        ? { records, cursor: `${last.at}~${last.position}` }
        : { records };
    },
  };
}
