import type { Agent, Task } from '../agent.ts';
import { InvalidInputError } from '../errors.ts';
import type { Gate } from '../gate.ts';
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
import { frozen } from './frozen.ts';
import { Hints } from './hints.ts';
import { MemoryAgents } from './memory-agents.ts';
import { MemoryGates } from './memory-gates.ts';

/**
 * State in this process's memory: for unit tests and for trying things out. Nothing survives the process; killswitches
 * that are given the same object share it like hosts share a database. Records are kept as they are given, and frozen:
 * neither who gave one nor who gets one can change what is stored. Ended agents stay, since an id is never used twice (I2).
 */
export function memoryState(): StateStore {
  return new MemoryState();
}

class MemoryState implements StateStore {
  private readonly agents = new MemoryAgents();
  private readonly tasks = new Map<string, Task>();
  private readonly orders = new Map<string, StopOrder>();
  private readonly openOrders = new Map<string, StopOrder>();
  private readonly gates = new MemoryGates();
  private approvals: Approval[] = [];
  private readonly leases = new Map<string, Lease>();
  private readonly hints = new Hints();

  async admit(agent: Agent): Promise<Admission> {
    const gate = this.gates.on(scopeKeysOf(agent));
    if (gate !== undefined) return { result: 'gated', gate };
    if (this.agents.has(agent.agentId)) return { result: 'exists' };
    if (agent.parentId !== undefined) {
      if (!this.agents.has(agent.parentId)) return { result: 'parent-unknown' };
      // Also behind a parent that has ended: its own descendants would bring back what was killed (I2).
      const statuses = [agent.parentId, ...agent.lineage].map((id) => this.agents.get(id)?.status);
      if (statuses.includes('killing') || statuses.includes('killed')) return { result: 'parent-killed' };
    }
    const { taskId, workspaceId, ownerId } = agent;
    const task = this.tasks.get(taskId);
    if (task !== undefined && (task.workspaceId !== workspaceId || task.ownerId !== ownerId)) {
      return { result: 'task-conflict' };
    }
    if (task === undefined) this.tasks.set(taskId, frozen({ taskId, workspaceId, ownerId }));
    this.agents.add(agent);
    return { result: 'admitted' };
  }

  async getAgent(agentId: string): Promise<Agent | undefined> {
    return this.agents.get(agentId);
  }

  async getTask(taskId: string): Promise<Task | undefined> {
    return this.tasks.get(taskId);
  }

  async swapAgents(agents: readonly Agent[]): Promise<readonly boolean[]> {
    const won = agents.map((agent) => this.agents.swap(agent));
    if (won.includes(true)) this.hints.hint();
    return won;
  }

  async listAgents(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    return this.agents.list(key, page);
  }

  async listOrder(orderId: string, page: PageRequest): Promise<Page<Agent>> {
    return this.agents.listOrder(orderId, page);
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
    this.gates.shut(order);
    this.hints.hint();
    return { placed: true };
  }

  async getOrder(orderId: string): Promise<StopOrder | undefined> {
    return this.orders.get(orderId);
  }

  async swapOrder(order: StopOrder): Promise<boolean> {
    if (this.orders.get(order.orderId)?.revision !== order.revision - 1) return false;
    this.keepOrder(order);
    if (order.settledAt !== undefined) this.gates.settle(order.orderId);
    this.hints.hint();
    return true;
  }

  async listOpenOrders(): Promise<readonly StopOrder[]> {
    return [...this.openOrders.values()];
  }

  async listGates(on?: ScopeKey): Promise<readonly Gate[]> {
    return this.gates.list(on);
  }

  async gateChanges(after?: string): Promise<GateChanges> {
    return this.gates.changes(after, (orderId) => this.orders.get(orderId));
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
    const released = this.gates.release(named);
    this.approvals = this.approvals.filter(
      (approval) => !approval.orderIds.some((orderId) => named.has(orderId)),
    );
    if (released.length > 0) this.hints.hint();
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
    return this.hints.watch(changed);
  }

  private keepOrder(order: StopOrder): void {
    frozen(order);
    this.orders.set(order.orderId, order);
    if (order.settledAt === undefined) this.openOrders.set(order.orderId, order);
    else this.openOrders.delete(order.orderId);
  }
}
