import type { ListKey } from '@agent-killswitch/core';

/** Every kind of key, with the type of what is stored there. */
export const keyTypes = {
  store: 'hash',
  agent: 'string',
  task: 'string',
  list: 'zset',
  claimed: 'zset',
  orders: 'hash',
  open: 'zset',
  joinable: 'hash',
  gates: 'hash',
  shut: 'hash',
  released: 'hash',
  openable: 'zset',
  changes: 'zset',
  approvals: 'hash',
  leases: 'hash',
} as const;

/**
 * The names of one killswitch's keys and of its channel. The prefix stands in braces, the hash tag of a cluster, so that
 * all of them share one slot and one script may touch them together.
 */
export class Keys {
  readonly channel: string;
  /** `id`: of this state, made when it was empty; `epoch`: rises with every gate shut or opened; `seq`: with all else. */
  readonly store: string;
  /** Every order ever placed, by id. */
  readonly orders: string;
  /** Ids of orders without `settledAt`, by their placing. */
  readonly open: string;
  /** By `opens` and scope key, the ids of open orders that are not released. */
  readonly joinable: string;
  /** Standing gates, by the id of their order. */
  readonly gates: string;
  /** By scope key, the ids of the orders whose gates stand on it, oldest first. */
  readonly shut: string;
  /** Ids of the orders whose gates stand and open some day, by the epoch in which they were shut. */
  readonly openable: string;
  /** By order id, the call that removed its gate on a release. */
  readonly released: string;
  /** Ids of orders whose gates outlast them, by the epoch in which the gate was shut, or opened. */
  readonly changes: string;
  readonly approvals: string;
  readonly leases: string;
  private readonly base: string;

  constructor(prefix: string) {
    this.base = `{${prefix}}:`;
    this.channel = `${prefix}:events`;
    this.store = `${this.base}store`;
    this.orders = `${this.base}orders`;
    this.open = `${this.base}open`;
    this.joinable = `${this.base}joinable`;
    this.gates = `${this.base}gates`;
    this.shut = `${this.base}shut`;
    this.openable = `${this.base}openable`;
    this.released = `${this.base}released`;
    this.changes = `${this.base}changes`;
    this.approvals = `${this.base}approvals`;
    this.leases = `${this.base}leases`;
  }

  agent(agentId: string): string {
    return `${this.base}agent:${agentId}`;
  }

  task(taskId: string): string {
    return `${this.base}task:${taskId}`;
  }

  /** Ids of the agents listed under a list key, by their admission. Under `agent:` its descendants only. */
  list(key: ListKey): string {
    return `${this.base}list:${key}`;
  }

  /** Ids of the agents whose kill record names this order, by their admission. */
  claimed(orderId: string): string {
    return `${this.base}claimed:${orderId}`;
  }

  /** What has to be stored at one of these keys, as `TYPE` names it. */
  typeOf(key: string): string | undefined {
    const kind = key.slice(this.base.length).split(':', 1)[0];
    return kind !== undefined && kind in keyTypes ? keyTypes[kind as keyof typeof keyTypes] : undefined;
  }
}
