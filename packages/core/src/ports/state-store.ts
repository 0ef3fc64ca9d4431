import type { Agent, Task } from '../agent.ts';
import type { Gate } from '../gate.ts';
import type { GateOverview } from '../gate-overview.ts';
import type { Lease } from '../lease.ts';
import type { StopOrder } from '../order.ts';
import type { Approval } from '../release.ts';
import type { ListKey, ScopeKey } from '../scope.ts';

/**
 * Where agents, gates and stop orders live. The core decides every change with pure functions and hands over the whole
 * next record; a store only has to make each call below atomic and durable before it resolves. It knows a scope only
 * as a key (`scopeKeysOf` for gates, `listKeysOf` for listings). It never validates a lifecycle.
 *
 * The core bounds every call with its own deadline, so a store may be slow, but it should not retry for long itself.
 * Rejecting is always allowed and means "nothing is known"; the core then goes on with what its own host can reach.
 */
export interface StateStore {
  /**
   * In one atomic step: refuse if a gate stands on any of the agent's scope keys (`gated`), if its id was ever used
   * (`exists`), if its parent is unknown (`parent-unknown`), if that or any other of its lineage is killing or killed
   * (`parent-killed`), if its task belongs to another workspace or owner (`task-conflict`); else store agent and, if new, task.
   * Refusals are checked in that order.
   * The agent arrives as `spawning`, revision 0, its lineage filled in: up to 64 ancestors, each of them a scope.
   * Consequence of a gap here: an agent starts after the stop (I1).
   */
  admit(agent: Agent): Promise<Admission>;

  /** The agent in any status, or `undefined`. */
  getAgent(agentId: string): Promise<Agent | undefined>;

  getTask(taskId: string): Promise<Task | undefined>;

  /**
   * Compare-and-set, each agent on its own: stored if the stored revision is exactly one less than the given one.
   * Answers in the order given; `false` is a lost race, or an agent that is not there. One winner per revision. Up to
   * 1,000 agents come at once; a store that cannot take them rejects, and never answers `true` for what it left out.
   */
  swapAgents(agents: readonly Agent[]): Promise<readonly boolean[]>;

  /**
   * A page of the agents that are listed under this key (`listKeysOf` says which). An agent that is listed from the
   * first page to the last is on one of them; others may be missing.
   */
  listAgents(key: ListKey, page: PageRequest): Promise<Page<Agent>>;

  /** A page of the agents, in any status, whose kill record names this order. */
  listOrder(orderId: string, page: PageRequest): Promise<Page<Agent>>;

  /**
   * In one atomic step store the order and the gate it shuts (`gateOf`), unless an open order with the same scope and
   * the same `opens` is there that is not `released`: then nothing is stored and that order is returned to be joined
   * (I7). One that a release has ended bars nobody for long, and so is not joined. No admission that begins after this
   * has resolved admits an agent in the scope, and one that was admitted before is in every listing that begins after.
   * An order id that was used before rejects, unless it is that very order. One that has `settledAt` already, since it is put
   * back, is stored with its gate and is not open.
   */
  placeOrder(order: StopOrder): Promise<Placement>;

  getOrder(orderId: string): Promise<StopOrder | undefined>;

  /**
   * Compare-and-set like {@link swapAgents}. In the same step, an order that now has `settledAt` stops being open, and
   * its gate is removed if it `opens` `at-settle`.
   */
  swapOrder(order: StopOrder): Promise<boolean>;

  /** Every order without `settledAt`, in the order of their placing. */
  listOpenOrders(): Promise<readonly StopOrder[]>;

  /**
   * Every gate that stands, in the order of their placing; with a scope key those on that very scope only. Each killed task
   * leaves one for good, so whatever has to work however many there are asks by key, and that had better be quick.
   */
  listGates(on?: ScopeKey): Promise<readonly Gate[]>;

  /**
   * At most so many of the gates that stand, the ones that `overviewOf` keeps, and how many stand. Omit it if `listGates` is quick
   * however many there are: the core then chooses among those.
   */
  gateOverview?(most: number): Promise<GateOverview>;

  /**
   * Which gates that outlast their orders (`on-release`, `never`) were shut or opened after a place, oldest change first, at
   * most 1,000, each order once, as it is now; `place` is that of the last. Without a place none, and where it ends now. Rejects if
   * the state is not a later one of what it was at that place. With it every host copies onto its own record the gates that
   * others shut, so that a store that was lost reopens nothing. Omit it if the state cannot be lost without the host.
   */
  gateChanges?(after?: string): Promise<GateChanges>;

  /**
   * Keeps an approval, unless its principal has given one for the very same orders, and returns all that are kept for
   * these, in the order of their giving.
   */
  approve(approval: Approval): Promise<readonly Approval[]>;

  /**
   * In one atomic step removes the gates of these orders that open `on-release`, and every approval that names one of
   * these orders. Returns the gates, in the order of their placing; none is an empty list.
   */
  release(orderIds: readonly string[]): Promise<readonly Gate[]>;

  /** Stores the host's lease over its earlier one, unless that is the longer one. */
  renewLease(lease: Lease): Promise<void>;

  /** The newest lease of every host that ever had one. */
  listLeases(): Promise<readonly Lease[]>;

  /**
   * Calls `changed` soon after another host changed an order or an agent. Only a hint: it may come late, twice or
   * never, since the core looks by itself too. The returned function ends it.
   */
  watch(changed: () => void): () => void;

  /**
   * For a state that can be lost while its hosts run. From the moment that the store notices it, every call rejects with an
   * error whose `code` is `state-lost`, so that nothing starts where gates are missing. Then the core calls this: `putBack`
   * gets the state that is there now, to bring back into it what this host knows, and once it has, this store goes on with
   * that state. Rejects if `putBack` does; then nothing has changed here. Omit it if the state cannot be lost without the host.
   */
  rejoin?(putBack: (found: FoundState) => Promise<void>): Promise<void>;
}

/** What is there in the place of a state that was lost: an empty one, or an older one. */
export interface FoundState extends StateStore {
  /**
   * Stores each agent, and its task where that is new, unless the same revision of it or a later one is there. Up to 1,000 come
   * at once.
   */
  putBackAgents(agents: readonly Agent[]): Promise<void>;
}

export type Admission =
  | { readonly result: 'admitted' }
  | { readonly result: 'gated'; readonly gate: Gate }
  | { readonly result: 'exists' | 'parent-unknown' | 'parent-killed' | 'task-conflict' };

export interface GateChange {
  readonly order: StopOrder;
  /** Whether its gate stands. */
  readonly stands: boolean;
}

export interface GateChanges {
  readonly changes: readonly GateChange[];
  readonly place: string;
}

export type Placement = { readonly placed: true } | { readonly placed: false; readonly open: StopOrder };

export interface PageRequest {
  /** At most this many items; 1 to 10,000. */
  readonly limit: number;
  /** Where the previous page ended; absent for the first. */
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. A page may hold fewer than `limit` items and still have a cursor. */
  readonly cursor?: string;
}
