import type { AuditEvent } from '@agent-killswitch/core';
import type { Pool } from 'pg';
import { killColumnNames, killColumns } from './kill-columns.ts';

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
    const empty = '0'.repeat(64);
    const rows = events.map((event) => killColumns(event, empty, empty));
    const numbers = rows.map(() => this.#next++);
    const columns = killColumnNames.map((_, column) => rows.map((row) => row[column]));
    const values = killColumnNames
      .map((name) => (types[name] === undefined ? name : `${name}::${types[name]}`))
      .join(', ');
    const parameters = killColumnNames.map((_, column) => `$${column + 2}::text[]`).join(', ');
    await this.#pool.query({
      name: 'bare',
      text: `INSERT INTO bare (position, seq, stored_at, ${killColumnNames.join(', ')})
        SELECT n, n, now(), ${values} FROM unnest($1::bigint[], ${parameters}) given (n, ${killColumnNames.join(', ')})`,
      values: [numbers, ...columns],
    });
  }
}
