import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import {
  type Admission,
  type Agent,
  type Approval,
  canonical,
  type Gate,
  gateOf,
  InvalidConfigurationError,
  InvalidInputError,
  type Lease,
  type ListKey,
  type Page,
  type PageRequest,
  type Placement,
  type ScopeKey,
  type StateStore,
  type StopOrder,
  scopeKey,
  type Task,
} from '@agent-killswitch/core';
import { admitAgent, swapAgent } from './agent-writes.ts';
import { ChangeWatch } from './change-watch.ts';
import { Lane } from './lane.ts';
import { openDatabase } from './open-database.ts';
import { agentPage } from './pages.ts';
import { Records } from './records.ts';
import type { Statements } from './statements.ts';
import { Transactions } from './transactions.ts';

export interface SqliteStateOptions {
  /**
   * How long a call waits for another process that is writing, in milliseconds; then it rejects with `StateBusyError`.
   * Default 1,000. The wait does not block the event loop, except while opening.
   */
  readonly busyMs?: number;
  /** How often `watch` looks for changes by others, in milliseconds. Default 50. */
  readonly watchMs?: number;
}

export interface SqliteState extends StateStore {
  /** Ends this client: what waits for a lock is rejected with `StateClosedError`, as is every later call. Idempotent. */
  close(): void;
}

/** Most agents changed in one transaction: a larger batch lets others, and the event loop, have their turn between. */
const mostSwaps = 500;

/**
 * Durable state in one SQLite file, for the processes of one machine. A call resolves when its change is on the disk
 * (WAL, `synchronous=FULL`). The file, mode 0600, and its folders, mode 0700, are created if missing.
 *
 * A stored record that cannot be read makes the call that needs it reject with `StateRecordError`. A listing first gives
 * every page of the others, and rejects where it would have ended, so that a sweep reaches all it can and never
 * mistakes the scope for empty (I1).
 * @throws StateBusyError, StateReadOnlyError, StateVersionError, StateFileError, StateDiskError at once, when it cannot
 * be opened; nothing was changed then.
 */
export function sqliteState(path: string, options: SqliteStateOptions = {}): SqliteState {
  const { busyMs = 1_000, watchMs = 50 } = options;
  const issues = [
    ...(path === '' || path === ':memory:' ? ['path: name a file, or use memoryState()'] : []),
    ...(busyMs >= 0 && busyMs <= 60_000 ? [] : ['busyMs: must be 0 to 60,000']),
    ...(watchMs >= 1 && watchMs <= 60_000 ? [] : ['watchMs: must be 1 to 60,000']),
  ];
  if (issues.length > 0) throw new InvalidConfigurationError(issues);
  const file = resolve(path);
  const { database, statements } = openDatabase(file, busyMs);
  return new SqliteStateStore(file, database, statements, busyMs, watchMs);
}

class SqliteStateStore implements SqliteState {
  private readonly database: DatabaseSync;
  private readonly statements: Statements;
  private readonly records: Records;
  /** Reads do not wait behind writes: in WAL mode a writer elsewhere does not hold them up. */
  private readonly reads: Lane;
  private readonly writes: Lane;
  /** Nor do stops wait behind admissions. */
  private readonly admissions: Lane;
  private readonly changes: ChangeWatch;
  private readonly transactions: Transactions;

  constructor(file: string, database: DatabaseSync, statements: Statements, busyMs: number, watchMs: number) {
    this.database = database;
    this.statements = statements;
    this.records = new Records(file);
    this.reads = new Lane(file, busyMs);
    this.writes = new Lane(file, busyMs);
    this.admissions = new Lane(file, busyMs);
    this.changes = new ChangeWatch(database, watchMs);
    this.transactions = new Transactions(file, database, statements);
  }

  admit(agent: Agent): Promise<Admission> {
    return this.write((sql) => admitAgent(sql, this.records, agent), this.admissions);
  }

  getAgent(agentId: string): Promise<Agent | undefined> {
    return this.reads.run(() => {
      const row = this.statements.agent.get(agentId);
      return row === undefined ? undefined : this.records.agent(row);
    });
  }

  getTask(taskId: string): Promise<Task | undefined> {
    return this.reads.run(() => {
      const row = this.statements.task.get(taskId);
      return row === undefined ? undefined : this.records.task(row);
    });
  }

  async swapAgents(agents: readonly Agent[]): Promise<readonly boolean[]> {
    const won: boolean[] = [];
    while (won.length < agents.length) {
      if (won.length > 0) await setImmediate();
      const batch = agents.slice(won.length, won.length + mostSwaps);
      won.push(...(await this.write((sql) => batch.map((agent) => swapAgent(sql, agent)))));
    }
    return won;
  }

  listAgents(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    return this.list(page, (after, limit) => this.statements.listed.all(key, after, limit));
  }

  listOrder(orderId: string, page: PageRequest): Promise<Page<Agent>> {
    return this.list(page, (after, limit) => this.statements.inOrder.all(orderId, after, limit));
  }

  placeOrder(order: StopOrder): Promise<Placement> {
    return this.write((sql) => {
      const { orderId, revision, opens } = order;
      const key = scopeKey(order.scope);
      const open = sql.openOrder.get(key, opens);
      if (open !== undefined) return { placed: false, open: this.records.order(open) };
      if (sql.orderState.get(orderId) !== undefined) {
        throw new InvalidInputError('stop order', [`orderId: "${orderId}" is the id of another order`]);
      }
      sql.insertOrder.run(orderId, revision, key, opens, isSettled(order), canonical(order));
      sql.insertGate.run(orderId, key, opens, canonical(gateOf(order)));
      return { placed: true };
    });
  }

  getOrder(orderId: string): Promise<StopOrder | undefined> {
    return this.reads.run(() => {
      const row = this.statements.order.get(orderId);
      return row === undefined ? undefined : this.records.order(row);
    });
  }

  swapOrder(order: StopOrder): Promise<boolean> {
    return this.write((sql) => {
      const { orderId, revision } = order;
      if (sql.orderState.get(orderId)?.revision !== revision - 1) return false;
      sql.updateOrder.run(revision, isSettled(order), canonical(order), orderId);
      if (order.settledAt !== undefined) sql.settleGate.run(orderId);
      return true;
    });
  }

  listOpenOrders(): Promise<readonly StopOrder[]> {
    return this.reads.run(() => this.statements.openOrders.all().map((row) => this.records.order(row)));
  }

  listGates(on?: ScopeKey): Promise<readonly Gate[]> {
    return this.reads.run(() => {
      const { gates, gatesOn } = this.statements;
      return (on === undefined ? gates.all() : gatesOn.all(on)).map((row) => this.records.gate(row));
    });
  }

  approve(approval: Approval): Promise<readonly Approval[]> {
    return this.write((sql) => {
      const orders = approval.orderIds.join(' ');
      sql.insertApproval.run(orders, approval.principal.id, canonical(approval));
      return sql.approvals.all(orders).map((row) => this.records.approval(row));
    });
  }

  release(orderIds: readonly string[]): Promise<readonly Gate[]> {
    return this.write((sql) => {
      const ids = JSON.stringify(orderIds);
      const gates = sql.releasable.all(ids).map((row) => this.records.gate(row));
      sql.release.run(ids);
      sql.dropApprovals.run(ids);
      return gates;
    });
  }

  renewLease({ hostId, until }: Lease): Promise<void> {
    return this.write((sql) => void sql.renewLease.run(hostId, until));
  }

  listLeases(): Promise<readonly Lease[]> {
    return this.reads.run(() =>
      this.statements.leases.all().map((row) => ({ hostId: row.host_id, until: row.until })),
    );
  }

  watch(changed: () => void): () => void {
    return this.changes.add(changed);
  }

  close(): void {
    if (!this.database.isOpen) return;
    this.changes.close();
    this.reads.close();
    this.writes.close();
    this.admissions.close();
    this.database.close();
  }

  private list(
    page: PageRequest,
    rowsAfter: (seq: number, limit: number) => ReturnType<Statements['listed']['all']>,
  ): Promise<Page<Agent>> {
    return this.reads.run(() =>
      agentPage(
        page,
        rowsAfter,
        (row) => this.records.agent(row),
        (seq) => this.statements.agentAt.get(seq),
      ),
    );
  }

  private write<T>(change: (sql: Statements) => T, lane: Lane = this.writes): Promise<T> {
    return lane.run(() => this.transactions.run(change));
  }
}

function isSettled(order: StopOrder): number {
  return order.settledAt === undefined ? 0 : 1;
}
