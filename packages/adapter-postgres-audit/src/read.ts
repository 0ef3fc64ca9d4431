import type { AuditQuery, AuditRecord } from '@agent-killswitch/core';
import type { PoolClient } from 'pg';
import { systemChain } from './columns.ts';

const pageSize = 500;
/** What of time both JSON and Postgres can write: no event is outside. */
const earliest = Date.parse('0001-01-01T00:00:00Z');
export const latest: number = Date.parse('9999-12-31T23:59:59.999Z');

/** A row, of which {@link recordOf} makes a record. */
export interface Stored {
  readonly position: string;
  readonly partition: string;
  readonly seq: string;
  readonly prev: string;
  readonly hash: string;
  readonly event: string;
}

export const storedColumns = 'position, chain AS partition, seq, prev, hash, event::text AS event';

/** One page of records; `next` says where the following one begins, and is absent after the last. */
export interface RecordPage {
  readonly records: readonly AuditRecord[];
  readonly next?: string;
}

/** Where a reading begins and ends, in positions. */
export interface Span {
  readonly after?: string;
  readonly end: string;
}

/**
 * What a query asks for, page by page. Each page is a statement of its own, so that a reader that takes its time holds
 * nothing. What is appended after the span was taken is not read.
 */
export class PagedQuery {
  /** Whether nothing can match: no event is of two workspaces, or of no type. */
  readonly isEmpty: boolean;
  readonly #conditions: string[] = [];
  readonly #values: unknown[] = [];
  /** On one chain both rise together. The index of the chain has the one, all others have the other. */
  readonly #order: 'seq' | 'position';

  constructor({ partition, workspaceId, types, from, until, ...ids }: AuditQuery, { after, end }: Span) {
    const chains = new Set([partition, workspaceId].filter((chain) => chain !== undefined));
    const isNever = Number.isNaN(from) || Number.isNaN(until);
    const { orderId, taskId, principalId } = ids;
    // No id has one, and a text of Postgres cannot hold it.
    const hasNul = [...chains, orderId, taskId, principalId].some((id) => id?.includes('\0'));
    this.isEmpty = chains.size > 1 || workspaceId === systemChain || types?.length === 0 || isNever || hasNul;
    const [chain] = chains;
    const isOfChain = (orderId ?? taskId ?? principalId) === undefined && chain !== undefined;
    this.#order = isOfChain ? 'seq' : 'position';
    if (chain !== undefined) this.#where('chain =', chain);
    if (orderId !== undefined) this.#where('order_id =', orderId);
    if (taskId !== undefined) this.#where('task_id =', taskId);
    if (principalId !== undefined) this.#where('principal_id =', principalId);
    if (from !== undefined) this.#where('event_time >=', timeOf(from));
    if (until !== undefined && until <= latest) this.#where('event_time <', timeOf(until));
    if (types !== undefined) this.#conditions.push(`type IN (${types.map(literal).join(', ')})`);
    // A place on the chain that is read is found in its index; of another one only the position tells.
    if (isOfChain && ids.after?.partition === chain) this.#where('seq >', ids.after.seq);
    else if (after !== undefined) this.#where('position >', after);
    this.#where('position <=', end);
  }

  async page(client: PoolClient, from: string | undefined): Promise<RecordPage> {
    const values = [...this.#values];
    const conditions = [...this.#conditions];
    if (from !== undefined) conditions.push(`${this.#order} > $${values.push(from)}`);
    const { rows } = await client.query<Stored>(
      `SELECT ${storedColumns} FROM killswitch_audit.records
       WHERE ${conditions.join(' AND ')} ORDER BY ${this.#order} LIMIT ${pageSize}`,
      values,
    );
    const next = rows.length < pageSize ? undefined : rows.at(-1)?.[this.#order];
    return { records: rows.map(recordOf), ...(next !== undefined && { next }) };
  }

  #where(condition: string, value: unknown): void {
    this.#conditions.push(`${condition} ($${this.#values.push(value)})`);
  }
}

/** What Postgres is asked for instead of a time that is outside. */
export function timeOf(ms: number): string {
  return new Date(Math.min(Math.max(ms, earliest), latest)).toISOString();
}

/** Spelt out, since an index that has some types only is not used for a parameter. */
function literal(type: string): string {
  return `'${type.replaceAll("'", "''")}'`;
}

export function recordOf({ partition, seq, prev, hash, event }: Stored): AuditRecord {
  return { partition, seq: Number(seq), prev, hash, event: JSON.parse(event) };
}
