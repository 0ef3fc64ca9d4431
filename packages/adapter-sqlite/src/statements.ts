import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Agent } from '@agent-killswitch/core';

/** Every statement that runs after opening, by name. Lists of keys are given as a JSON array. */
export const sql = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  version: 'PRAGMA user_version',

  agent: 'SELECT seq, agent_id AS id, record FROM agents WHERE agent_id = ?',
  agentState: 'SELECT seq, revision, status FROM agents WHERE agent_id = ?',
  killedOf: `SELECT status FROM agents
    WHERE agent_id IN (SELECT value FROM json_each(?)) AND status IN ('killing', 'killed') LIMIT 1`,
  agentAt: 'SELECT seq, agent_id AS id, record FROM agents WHERE seq = ?',
  insertAgent: 'INSERT INTO agents (agent_id, revision, status, record) VALUES (?, ?, ?, ?) RETURNING seq',
  updateAgent: 'UPDATE agents SET revision = ?, status = ?, record = ? WHERE seq = ?',
  enlist: 'INSERT OR IGNORE INTO listings (seq, list_key) SELECT ?, value FROM json_each(?)',
  delist: 'DELETE FROM listings WHERE seq = ? AND list_key IN (SELECT value FROM json_each(?))',
  join: 'INSERT OR IGNORE INTO order_agents (seq, order_id) SELECT ?, value FROM json_each(?)',
  listed: `SELECT a.seq, a.agent_id AS id, a.record FROM listings l CROSS JOIN agents a ON a.seq = l.seq
    WHERE l.list_key = ? AND l.seq > ? ORDER BY l.seq LIMIT ?`,
  inOrder: `SELECT a.seq, a.agent_id AS id, a.record FROM order_agents o CROSS JOIN agents a ON a.seq = o.seq
    WHERE o.order_id = ? AND o.seq > ? ORDER BY o.seq LIMIT ?`,

  task: 'SELECT task_id AS id, record FROM tasks WHERE task_id = ?',
  insertTask: 'INSERT INTO tasks (task_id, record) VALUES (?, ?)',

  order: 'SELECT order_id AS id, record FROM orders WHERE order_id = ?',
  orderState: 'SELECT revision FROM orders WHERE order_id = ?',
  openOrder: `SELECT order_id AS id, record FROM orders
    WHERE scope_key = ? AND opens = ? AND settled = 0 AND record -> 'released' IS NULL`,
  openOrders:
    'SELECT order_id AS id, record FROM orders INDEXED BY open_orders WHERE settled = 0 ORDER BY seq',
  insertOrder:
    'INSERT INTO orders (order_id, revision, scope_key, opens, settled, record) VALUES (?, ?, ?, ?, ?, ?)',
  updateOrder: 'UPDATE orders SET revision = ?, settled = ?, record = ? WHERE order_id = ?',

  gateOn: `SELECT order_id AS id, record FROM gates
    WHERE scope_key IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1`,
  gates: 'SELECT order_id AS id, record FROM gates ORDER BY seq',
  gatesOn: 'SELECT order_id AS id, record FROM gates WHERE scope_key = ? ORDER BY seq',
  insertGate: 'INSERT INTO gates (order_id, scope_key, opens, record) VALUES (?, ?, ?, ?)',
  settleGate: `DELETE FROM gates WHERE order_id = ? AND opens = 'at-settle'`,
  releasable: `SELECT order_id AS id, record FROM gates
    WHERE order_id IN (SELECT value FROM json_each(?)) AND opens = 'on-release' ORDER BY seq`,
  release: `DELETE FROM gates WHERE order_id IN (SELECT value FROM json_each(?)) AND opens = 'on-release'`,

  insertApproval: 'INSERT OR IGNORE INTO approvals (orders, principal_id, record) VALUES (?, ?, ?)',
  approvals: 'SELECT principal_id AS id, record FROM approvals WHERE orders = ? ORDER BY seq',
  // Every approval names few orders and there are few approvals: a scan is what it takes.
  dropApprovals: `DELETE FROM approvals WHERE EXISTS
    (SELECT 1 FROM json_each(?) o WHERE instr(' ' || orders || ' ', ' ' || o.value || ' ') > 0)`,

  renewLease: `INSERT INTO leases (host_id, until) VALUES (?, ?)
    ON CONFLICT (host_id) DO UPDATE SET until = max(until, excluded.until)`,
  leases: 'SELECT host_id, until FROM leases ORDER BY host_id',
} as const;

/** A row that holds a record. */
export interface RecordRow {
  readonly id: string;
  readonly record: string;
}

export interface AgentRow extends RecordRow {
  readonly seq: number;
}

interface Rows {
  agent: AgentRow;
  agentState: { readonly seq: number; readonly revision: number; readonly status: Agent['status'] };
  killedOf: { readonly status: Agent['status'] };
  agentAt: AgentRow;
  insertAgent: { readonly seq: number };
  listed: AgentRow;
  leases: { readonly host_id: string; readonly until: number };
  inOrder: AgentRow;
  orderState: { readonly revision: number };
  version: { readonly user_version: number };
}

type Name = keyof typeof sql;
type RowOf<N extends Name> = N extends keyof Rows ? Rows[N] : RecordRow;

interface Query<Row> {
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  run(...values: SQLInputValue[]): unknown;
}

export type Statements = { readonly [N in Name]: Query<RowOf<N>> };

/** Prepares them all. The tables are STRICT, so a column has the type it was declared with. */
export function prepareAll(database: DatabaseSync): Statements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, database.prepare(text)]);
  return Object.fromEntries(prepared) as Statements;
}
