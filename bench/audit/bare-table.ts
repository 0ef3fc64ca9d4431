import { type AuditEvent, canonical } from '@agent-killswitch/core';
import type { Pool } from 'pg';

const texts = [
  'chain',
  'prev',
  'hash',
  'event',
  'event_id',
  'type',
  'event_time',
  'host_id',
  'workspace_id',
  'order_id',
  'task_id',
  'agent_id',
  'session_ids',
  'owner_id',
  'backend_id',
  'principal_id',
  'principal_kind',
  'reason',
  'status_before',
  'outcome',
  'policy_version',
] as const;
const types: Partial<Record<(typeof texts)[number], string>> = {
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
    const rows = events.map((event) => {
      if (event.type !== 'agent.killed') throw new TypeError('only kills');
      const { principal, sessionIds, workspaceId = '' } = event;
      const empty = '0'.repeat(64);
      return [
        [
          workspaceId,
          empty,
          empty,
          canonical(event),
          event.id,
          event.type,
          event.time,
          event.hostId,
          workspaceId,
        ],
        [
          event.orderId,
          event.taskId,
          event.agentId,
          `{${sessionIds.join(',')}}`,
          event.ownerId,
          event.backendId,
        ],
        [principal.id, principal.kind, event.reason, event.statusBefore, 'confirmed', event.policyVersion],
      ].flat();
    });
    const numbers = rows.map(() => this.#next++);
    const columns = texts.map((_, column) => rows.map((row) => row[column]));
    const values = texts
      .map((name) => (types[name] === undefined ? name : `${name}::${types[name]}`))
      .join(', ');
    const parameters = texts.map((_, column) => `$${column + 2}::text[]`).join(', ');
    await this.#pool.query({
      name: 'bare',
      text: `INSERT INTO bare (position, seq, stored_at, ${texts.join(', ')})
        SELECT n, n, now(), ${values} FROM unnest($1::bigint[], ${parameters}) given (n, ${texts.join(', ')})`,
      values: [numbers, ...columns],
    });
  }
}
