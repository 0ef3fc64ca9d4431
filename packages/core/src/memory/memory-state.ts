import { type Agent, isLive, listKeysOf, type Task } from '../agent.ts';
import { InvalidInputError } from '../errors.ts';
import { type Gate, gateOf } from '../gate.ts';
import type { Lease } from '../lease.ts';
import type { StopOrder } from '../order.ts';
import type {
  Admission,
  GateChanges,
  Page,
  PageRequest,
  Placement,
  StateStore,
} from '../ports/state-store.ts';
import type { Approval } from '../release.ts';
import { type ListKey, type ScopeKey, scopeKey, scopeKeysOf } from '../scope.ts';
import { frozen, frozenAgent } from './frozen.ts';
import { SequenceIndex } from './sequence-index.ts';

/**
 * State in this process's memory: for unit tests and for trying things out. Nothing survives the process; killswitches
 * that are given the same object share it like hosts share a database. Records are kept as they are given, and frozen:
 * neither who gave one nor who gets one can change what is stored. Ended agents stay, since an id is never used twice (I2).
 */
export function memoryState(): StateStore {
  return new MemoryState();
}

/** The agents under one key, by sequence number. */
interface List {
  readonly key: ListKey;
  readonly index: SequenceIndex;
}

class MemoryState implements StateStore {
  /** Position = admission sequence number, the cursor of `listAgents`. */
  private readonly agents: Agent[] = [];
  private readonly seqOf = new Map<string, number>();
  private readonly listed = new Map<ListKey, List>();
  /** Per agent the lists it is on, so that taking it off them costs no more than that. */
  private readonly listsOf: Array<readonly List[]> = [];
  private readonly tasks = new Map<string, Task>();
  private readonly orders = new Map<string, StopOrder>();
  private readonly openOrders = new Map<string, StopOrder>();
  /** Per order the agents that it claimed or joined, in that order; the position is the cursor of `listOrder`. */
  private readonly claimed = new Map<string, number[]>();
  private readonly gates = new Map<string, Gate>();
  private readonly gatesOn = new Map<ScopeKey, Gate[]>();
  /** Orders whose lasting gates were shut or opened, in this order. */
  private readonly gateLog: string[] = [];
  private approvals: Approval[] = [];
  private readonly leases = new Map<string, Lease>();
  private readonly watchers = new Set<{ readonly changed: () => void }>();
  private hinting = false;

  async admit(agent: Agent): Promise<Admission> {
    for (const key of scopeKeysOf(agent)) {
      const gate = this.gatesOn.get(key)?.[0];
      if (gate !== undefined) return { result: 'gated', gate };
    }
    if (this.seqOf.has(agent.agentId)) return { result: 'exists' };
    if (agent.parentId !== undefined) {
      const parent = this.find(agent.parentId);
      if (parent === undefined) return { result: 'parent-unknown' };
      if (parent.status === 'killing' || parent.status === 'killed') return { result: 'parent-killed' };
    }
    const { taskId, workspaceId, ownerId } = agent;
    const task = this.tasks.get(taskId);
    if (task !== undefined && (task.workspaceId !== workspaceId || task.ownerId !== ownerId)) {
      return { result: 'task-conflict' };
    }
    if (task === undefined) this.tasks.set(taskId, frozen({ taskId, workspaceId, ownerId }));
    const seq = this.agents.push(frozenAgent(agent)) - 1;
    this.seqOf.set(agent.agentId, seq);
    this.relist(agent, seq);
    return { result: 'admitted' };
  }

  async getAgent(agentId: string): Promise<Agent | undefined> {
    return this.find(agentId);
  }

  async getTask(taskId: string): Promise<Task | undefined> {
    return this.tasks.get(taskId);
  }

  async swapAgents(agents: readonly Agent[]): Promise<readonly boolean[]> {
    const won = agents.map((agent) => this.swapAgent(agent));
    if (won.includes(true)) this.hint();
    return won;
  }

  async listAgents(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    const after = positionAfter(page);
    const seqs = this.listed.get(key)?.index.after(after, page.limit) ?? [];
    const own = key.startsWith('agent:') ? this.seqOf.get(key.slice('agent:'.length)) : undefined;
    // Before its descendants, who were all admitted later.
    if (own !== undefined && own > after && this.isListed(own, key)) seqs.unshift(own);
    if (seqs.length > page.limit) seqs.pop();
    const last = seqs.length < page.limit ? undefined : seqs.at(-1);
    return pageOf(this.agentsAt(seqs), last);
  }

  async listOrder(orderId: string, page: PageRequest): Promise<Page<Agent>> {
    const claimed = this.claimed.get(orderId) ?? [];
    const start = positionAfter(page) + 1;
    const end = start + page.limit;
    return pageOf(this.agentsAt(claimed.slice(start, end)), end < claimed.length ? end - 1 : undefined);
  }

  async placeOrder(order: StopOrder): Promise<Placement> {
    const key = scopeKey(order.scope);
    for (const open of this.openOrders.values()) {
      const isSame = open.opens === order.opens && scopeKey(open.scope) === key;
      if (isSame && open.released === undefined) return { placed: false, open };
    }
    if (this.orders.has(order.orderId)) {
      throw new InvalidInputError('stop order', [`orderId: "${order.orderId}" is the id of another order`]);
    }
    this.keepOrder(order);
    const gate = frozen(gateOf(order));
    this.gates.set(order.orderId, gate);
    this.gatesOn.set(key, [...(this.gatesOn.get(key) ?? []), gate]);
    if (order.opens !== 'at-settle') this.gateLog.push(order.orderId);
    this.hint();
    return { placed: true };
  }

  async getOrder(orderId: string): Promise<StopOrder | undefined> {
    return this.orders.get(orderId);
  }

  async swapOrder(order: StopOrder): Promise<boolean> {
    if (this.orders.get(order.orderId)?.revision !== order.revision - 1) return false;
    this.keepOrder(order);
    const gate = this.gates.get(order.orderId);
    if (order.settledAt !== undefined && gate?.opens === 'at-settle') this.removeGate(gate);
    this.hint();
    return true;
  }

  async listOpenOrders(): Promise<readonly StopOrder[]> {
    return [...this.openOrders.values()];
  }

  async listGates(on?: ScopeKey): Promise<readonly Gate[]> {
    const gates = [...this.gates.values()];
    return on === undefined ? gates : gates.filter((gate) => scopeKey(gate.scope) === on);
  }

  async gateChanges(after?: string): Promise<GateChanges> {
    if (after === undefined) return { changes: [], place: String(this.gateLog.length) };
    const start = Number(after);
    if (!Number.isSafeInteger(start) || start < 0 || start > this.gateLog.length)
      throw new InvalidInputError('place', ['is not one that this store gave']);
    const end = Math.min(start + mostChanges, this.gateLog.length);
    const changes = [...new Set(this.gateLog.slice(start, end))].flatMap((orderId) => {
      const order = this.orders.get(orderId);
      return order === undefined ? [] : [{ order, stands: this.gates.has(orderId) }];
    });
    return { changes, place: String(end) };
  }

  async approve(approval: Approval): Promise<readonly Approval[]> {
    const orders = approval.orderIds.join(' ');
    const given = this.approvals.filter((other) => other.orderIds.join(' ') === orders);
    if (given.some(({ principal }) => principal.id === approval.principal.id)) return given;
    this.approvals.push(frozen(approval));
    return [...given, approval];
  }

  async release(orderIds: readonly string[]): Promise<readonly Gate[]> {
    const named = new Set(orderIds);
    const released = [...this.gates.values()].filter(
      (gate) => named.has(gate.orderId) && gate.opens === 'on-release',
    );
    for (const gate of released) {
      this.removeGate(gate);
      this.gateLog.push(gate.orderId);
    }
    this.approvals = this.approvals.filter(
      (approval) => !approval.orderIds.some((orderId) => named.has(orderId)),
    );
    if (released.length > 0) this.hint();
    return released;
  }

  async renewLease(lease: Lease): Promise<void> {
    if (lease.until >= (this.leases.get(lease.hostId)?.until ?? 0))
      this.leases.set(lease.hostId, frozen(lease));
  }

  async listLeases(): Promise<readonly Lease[]> {
    return [...this.leases.values()];
  }

  watch(changed: () => void): () => void {
    const watcher = { changed };
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  private find(agentId: string): Agent | undefined {
    const seq = this.seqOf.get(agentId);
    return seq === undefined ? undefined : this.agents[seq];
  }

  private agentsAt(seqs: readonly number[]): Agent[] {
    return seqs.flatMap((seq) => this.agents[seq] ?? []);
  }

  private swapAgent(next: Agent): boolean {
    const seq = this.seqOf.get(next.agentId);
    const stored = seq === undefined ? undefined : this.agents[seq];
    if (seq === undefined || stored?.revision !== next.revision - 1) return false;
    this.agents[seq] = frozenAgent(next);
    // While it lives its keys do not change.
    if (!isLive(next) || !isLive(stored)) this.relist(next, seq);
    const before = orderIdsOf(stored);
    for (const orderId of orderIdsOf(next)) {
      if (before.includes(orderId)) continue;
      const claimed = this.claimed.get(orderId);
      if (claimed === undefined) this.claimed.set(orderId, [seq]);
      else claimed.push(seq);
    }
    return true;
  }

  /** Takes the agent at `seq` off the lists it was on, and puts it on those it belongs to now. */
  private relist(agent: Agent, seq: number): void {
    for (const { key, index } of this.listsOf[seq] ?? []) {
      index.forget();
      if (index.size === 0) this.listed.delete(key);
    }
    // An agent is found on its own list without an index: it is the first there, and most often the only one.
    const ownKey = `agent:${agent.agentId}`;
    const lists = listKeysOf(agent)
      .filter((key) => key !== ownKey)
      .map((key) => this.list(key));
    for (const { index } of lists) index.add(seq);
    this.listsOf[seq] = lists.length === 0 ? nowhere : lists;
  }

  private list(key: ListKey): List {
    const known = this.listed.get(key);
    if (known !== undefined) return known;
    const list = { key, index: new SequenceIndex((seq) => this.isListed(seq, key)) };
    this.listed.set(key, list);
    return list;
  }

  private isListed(seq: number, key: ListKey): boolean {
    const agent = this.agents[seq];
    if (agent === undefined) return false;
    // A live agent's keys never change, so on a list of the living being alive is all there is to ask.
    return isLive(agent) ? !key.startsWith('cleanup:') : listKeysOf(agent).includes(key);
  }

  private keepOrder(order: StopOrder): void {
    frozen(order);
    this.orders.set(order.orderId, order);
    if (order.settledAt === undefined) this.openOrders.set(order.orderId, order);
    else this.openOrders.delete(order.orderId);
  }

  private removeGate(gate: Gate): void {
    this.gates.delete(gate.orderId);
    const key = scopeKey(gate.scope);
    const others = (this.gatesOn.get(key) ?? []).filter((other) => other.orderId !== gate.orderId);
    if (others.length > 0) this.gatesOn.set(key, others);
    else this.gatesOn.delete(key);
  }

  /** After the change, and once for many: whoever is told may call the store at once. */
  private hint(): void {
    if (this.hinting || this.watchers.size === 0) return;
    this.hinting = true;
    queueMicrotask(() => {
      this.hinting = false;
      for (const watcher of [...this.watchers]) {
        try {
          watcher.changed();
        } catch {
          // A hint that is lost costs time only; one that throws must not keep the others from theirs (I5).
        }
      }
    });
  }
}

const mostChanges = 1_000;
const nowhere: readonly List[] = [];

function orderIdsOf(agent: Agent): readonly string[] {
  return agent.status === 'killing' || agent.status === 'killed' ? agent.kill.orderIds : [];
}

function positionAfter({ cursor }: PageRequest): number {
  if (cursor === undefined) return -1;
  const position = Number(cursor);
  if (!Number.isSafeInteger(position)) {
    throw new InvalidInputError('page', ['cursor: is not one that this store gave']);
  }
  return position;
}

function pageOf(items: readonly Agent[], last: number | undefined): Page<Agent> {
  return last === undefined ? { items } : { items, cursor: String(last) };
}
