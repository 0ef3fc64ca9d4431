import type { AuditEvent } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { killColumnNames, killColumns } from './kill-columns.ts';

const genesis = '0'.repeat(64);
const types: Partial<Record<(typeof killColumnNames)[number], string>> = {
  event: 'json',
  event_time: 'timestamptz',
  session_ids: 'text[]',
};

/** A table with the columns and indexes of the audit record, an event id once, and nothing more: no chain, no triggers. */
export class BareTable {
  readonly #pool: Pool;
  #next = 0;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  static async make(pool: Pool): Promise<BareTable> {
    await pool.query('CREATE TABLE bare (LIKE killswitch_audit.records INCLUDING ALL)');
    await pool.query('CREATE UNIQUE INDEX ON bare (chain, seq); CREATE UNIQUE INDEX ON bare (event_id)');
    return new BareTable(pool);
  }

  /** Inserts these kills with one statement from arrays. */
  async insert(events: readonly AuditEvent[]): Promise<void> {
    const rows = events.map((event) => killColumns(event, genesis, genesis));
    const numbers = rows.map(() => this.#next++);
    const columns = killColumnNames.map((_, column) => rows.map((row) => row[column]));
    const values = killColumnNames.map(typed).join(', ');
    const parameters = killColumnNames.map((_, column) => `$${column + 2}::text[]`).join(', ');
    await this.#pool.query({
      name: 'bare',
      text: `INSERT INTO bare (position, seq, stored_at, ${killColumnNames.join(', ')})
        SELECT n, n, now(), ${values} FROM unnest($1::bigint[], ${parameters}) given (n, ${killColumnNames.join(', ')})`,
      values: [numbers, ...columns],
    });
  }

  /** Adds this kill to the end of its chain, the plainest way: one statement, and nobody else may write meanwhile. */
  async chain(event: AuditEvent): Promise<void> {
    const [chain, , , text, ...columns] = killColumns(event, genesis, genesis);
    const parameters = columns.map((_, index) => `$${index + 4}::text`).join(', ');
    const names = killColumnNames.slice(4);
    await this.#pool.query({
      name: 'bare-chain',
      text: `INSERT INTO bare (position, stored_at, chain, event, seq, prev, hash, ${names.join(', ')})
        SELECT $1::bigint, now(), $2::text, $3::json, next.seq, next.prev,
          encode(sha256(convert_to(concat_ws(E'\\n', $2, next.seq, next.prev, $3), 'UTF8')), 'hex'), ${names.map(typed).join(', ')}
        FROM (SELECT coalesce(max(last.seq) + 1, 0) AS seq, coalesce(max(last.hash), '${genesis}') AS prev FROM (
          SELECT seq, hash FROM bare WHERE chain = $2 ORDER BY seq DESC LIMIT 1
        ) last) next, (VALUES (${parameters})) given (${names.join(', ')})`,
      values: [this.#next++, chain, text, ...columns],
    });
  }
}

function typed(name: (typeof killColumnNames)[number]): string {
  return types[name] === undefined ? name : `${name}::${types[name]}`;
}
