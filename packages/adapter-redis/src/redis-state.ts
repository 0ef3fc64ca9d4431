import type {
  Admission,
  Agent,
  Approval,
  FoundState,
  Gate,
  GateChanges,
  GateOverview,
  Lease,
  ListKey,
  Page,
  PageRequest,
  Placement,
  ScopeKey,
  StateStore,
  StopOrder,
  Task,
} from '@agent-killswitch/core';
import { Agents } from './agents.ts';
import { Caller } from './caller.ts';
import { checkClient, type RedisClient } from './client.ts';
import { EventChannel } from './event-channel.ts';
import { Keys } from './keys.ts';
import { Leases } from './leases.ts';
import { Link } from './link.ts';
import { type RedisStateOptions, settingsOf } from './options.ts';
import { Orders } from './orders.ts';
import { Pages } from './pages.ts';
import { Records } from './records.ts';
import { Releases } from './releases.ts';

export interface RedisState extends StateStore {
  gateOverview(most: number): Promise<GateOverview>;
  gateChanges(after?: string): Promise<GateChanges>;
  rejoin(putBack: (found: FoundState) => Promise<void>): Promise<void>;

  /** Ends this store and the connection it watches with; the client stays open. Idempotent. */
  close(): void;
}

/**
 * State in Valkey or Redis, shared by every host whose client reaches it. Each call is one atomic script, so that of two
 * hosts that claim one agent one wins, and no host admits an agent into a scope after the order that shut it.
 *
 * A stored record that cannot be read makes the call that needs it reject with `StateRecordError`. A listing first gives
 * every page of the others, and rejects where it would have ended, so that a sweep reaches all it can and never mistakes
 * the scope for empty (I1).
 * @param client of ioredis, ready-made; stays yours to close. Each killswitch takes a `redisState` of its own.
 * @throws InvalidConfigurationError, StateClientError
 */
export function redisState(client: RedisClient, options: RedisStateOptions = {}): RedisState {
  const { prefix, maxPendingBytes } = settingsOf(options);
  checkClient(client);
  const caller = new Caller();
  const keys = new Keys(prefix);
  const events = new EventChannel(client, keys.channel, caller.id);
  return new RedisStateStore(new Link(client, keys, maxPendingBytes), caller, events);
}

class RedisStateStore implements RedisState, FoundState {
  private readonly link: Link;
  private readonly caller: Caller;
  private readonly agents: Agents;
  private readonly orders: Orders;
  private readonly releases: Releases;
  private readonly leases: Leases;
  private readonly pages: Pages;
  private readonly events: EventChannel;

  constructor(link: Link, caller: Caller, events: EventChannel) {
    const records = new Records(link.keys);
    this.link = link;
    this.caller = caller;
    this.events = events;
    this.agents = new Agents(link, records, caller);
    this.orders = new Orders(link, records, caller);
    this.releases = new Releases(link, records, caller);
    this.leases = new Leases(link);
    this.pages = new Pages(link, records);
  }

  admit(agent: Agent): Promise<Admission> {
    return this.agents.admit(agent);
  }

  getAgent(agentId: string): Promise<Agent | undefined> {
    return this.agents.getAgent(agentId);
  }

  getTask(taskId: string): Promise<Task | undefined> {
    return this.agents.getTask(taskId);
  }

  swapAgents(agents: readonly Agent[]): Promise<readonly boolean[]> {
    return this.agents.swapAgents(agents);
  }

  listAgents(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    return this.pages.listed(key, page);
  }

  listOrder(orderId: string, page: PageRequest): Promise<Page<Agent>> {
    return this.pages.inOrder(orderId, page);
  }

  placeOrder(order: StopOrder): Promise<Placement> {
    return this.orders.placeOrder(order);
  }

  getOrder(orderId: string): Promise<StopOrder | undefined> {
    return this.orders.getOrder(orderId);
  }

  swapOrder(order: StopOrder): Promise<boolean> {
    return this.orders.swapOrder(order);
  }

  listOpenOrders(): Promise<readonly StopOrder[]> {
    return this.orders.listOpenOrders();
  }

  listGates(on?: ScopeKey): Promise<readonly Gate[]> {
    return this.orders.listGates(on);
  }

  gateOverview(most: number): Promise<GateOverview> {
    return this.orders.gateOverview(most);
  }

  gateChanges(after?: string): Promise<GateChanges> {
    return this.orders.gateChanges(after);
  }

  approve(approval: Approval): Promise<readonly Approval[]> {
    return this.releases.approve(approval);
  }

  release(orderIds: readonly string[]): Promise<readonly Gate[]> {
    return this.releases.release(orderIds);
  }

  renewLease(lease: Lease): Promise<void> {
    return this.leases.renewLease(lease);
  }

  listLeases(): Promise<readonly Lease[]> {
    return this.leases.listLeases();
  }

  watch(changed: () => void): () => void {
    return this.events.add(changed);
  }

  async rejoin(putBack: (found: FoundState) => Promise<void>): Promise<void> {
    const link = this.link.anew();
    await putBack(new RedisStateStore(link, this.caller, this.events));
    await this.link.goOnWith(link);
  }

  putBackAgents(agents: readonly Agent[]): Promise<void> {
    return this.agents.putBackAgents(agents);
  }

  close(): void {
    this.events.close();
    this.link.close();
  }
}
