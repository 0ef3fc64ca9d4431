import type { Agent, AuditEvent, OrderReport, Principal, Scope, StopOrder } from '@agent-killswitch/core';
import type { Body } from './body.ts';
import type { Life } from './life.ts';
import type { Member } from './people.ts';

/** Where something stands among everything that happened. */
export interface Moment {
  readonly seq: number;
  readonly at: number;
}

export interface Version extends Moment {
  readonly agent: Agent;
  readonly life: Life;
}

export interface OrderHistory extends Moment {
  readonly life: Life;
  /** As placed, then after every stored change, each with whose change it was. */
  readonly versions: Array<Moment & { readonly order: StopOrder; readonly life: Life }>;
}

export interface GateHistory {
  readonly orderId: string;
  readonly scope: Scope;
  readonly opens: StopOrder['opens'];
  readonly shutSeq: number;
  openedSeq?: number;
  openedBy?: 'settle' | 'release';
}

/** A request of a principal to stop something, from its call to its answer. */
export interface StopCall extends Moment {
  readonly life: Life;
  readonly kind: 'kill' | 'stop' | 'emergency-stop' | 'revoke-backend';
  readonly scope: Scope;
  readonly principal: Principal;
  /** Unlike any other call's. */
  readonly reason: string;
  readonly graceMs: number;
  readonly waitMs?: number | undefined;
  answer?: Moment & {
    readonly report?: OrderReport;
    readonly error?: unknown;
    /** Who was alive when the answer came. */
    readonly alive: readonly string[];
  };
}

export interface ReleaseCall extends Moment {
  readonly life: Life;
  readonly scope: Scope;
  readonly principal: Principal;
  readonly reason: string;
  /** `opened`: how many gates. */
  answer?: Moment & { readonly released?: boolean; readonly opened?: number; readonly error?: unknown };
}

export interface AdmitCall extends Moment {
  readonly life: Life;
  readonly agentId: string;
  /** Who it would be, as far as scopes go. */
  readonly agent: Member;
  answer?: Moment & { readonly error?: unknown };
}

/** A service's word that its agent has ended, and what it was answered: whether the record says so too. */
export interface EndCall extends Moment {
  readonly life: Life;
  readonly agentId: string;
  readonly answer: Moment & { readonly isRecorded: boolean };
}

/** That a killswitch said an order was requested, and on which life of which host. */
export interface Requested extends Moment {
  readonly order: StopOrder;
  readonly life: Life;
  /** The store has not said yet whether it took the order. */
  readonly isUnplaced: boolean;
}

/** Gates that one call opened in the store. */
export interface Opening extends Moment {
  readonly life: Life;
  readonly orderIds: readonly string[];
  /** Ids of those who, on a record that was durable by then, had asked for just these gates to be opened. */
  readonly askedBy: readonly string[];
}

/** That a host was shown an audit record, as it was then. */
export interface Reading extends Moment {
  readonly life: Life;
}

/** All that happened in a round, as the world itself saw it: what the checks hold the library's words against. */
export class History {
  readonly admissions = new Map<string, Version>();
  /** Every stored version of every agent, oldest first. */
  readonly versions = new Map<string, Version[]>();
  readonly orders = new Map<string, OrderHistory>();
  readonly gates: GateHistory[] = [];
  readonly openings: Opening[] = [];
  readonly readings: Reading[] = [];
  /** Since when an event has been on a durable record, by its id. */
  readonly durable = new Map<string, Moment>();
  readonly bodies = new Map<string, Body>();
  readonly stops: StopCall[] = [];
  readonly releases: ReleaseCall[] = [];
  readonly admits: AdmitCall[] = [];
  readonly ends: EndCall[] = [];
  readonly requested: Requested[] = [];
  readonly lives: Life[] = [];
  /** Lines that went to the last resort, as the events that they are. */
  readonly lastResort: Array<{ readonly life: Life; readonly event: AuditEvent }> = [];
  /** What was seen wrong on the spot. */
  readonly broken: string[] = [];
  readonly #clock: { readonly now: number };
  #seq = 0;

  constructor(clock: { readonly now: number }) {
    this.#clock = clock;
  }

  moment(): Moment {
    return { seq: this.#seq++, at: this.#clock.now };
  }

  admitted(agent: Agent, life: Life): void {
    const version = { ...this.moment(), agent, life };
    this.admissions.set(agent.agentId, version);
    this.versions.set(agent.agentId, [version]);
  }

  changed(agent: Agent, life: Life): void {
    this.versions.get(agent.agentId)?.push({ ...this.moment(), agent, life });
  }

  placed(order: StopOrder, life: Life): void {
    const moment = this.moment();
    this.orders.set(order.orderId, { ...moment, life, versions: [{ ...moment, order, life }] });
    const { orderId, scope, opens } = order;
    this.gates.push({ orderId, scope, opens, shutSeq: moment.seq });
  }

  orderChanged(order: StopOrder, life: Life): void {
    const moment = this.moment();
    this.orders.get(order.orderId)?.versions.push({ ...moment, order, life });
    if (order.settledAt === undefined) return;
    for (const gate of this.gates)
      if (gate.orderId === order.orderId && gate.opens === 'at-settle') open(gate, moment, 'settle');
  }

  released(orderIds: readonly string[], askedBy: readonly string[], life: Life): void {
    const moment = this.moment();
    this.openings.push({ ...moment, life, orderIds, askedBy });
    for (const gate of this.gates) if (orderIds.includes(gate.orderId)) open(gate, moment, 'release');
  }

  recorded(events: readonly AuditEvent[]): void {
    const moment = this.moment();
    for (const { id } of events) if (!this.durable.has(id)) this.durable.set(id, moment);
  }

  /** The newest stored version. */
  agent(agentId: string): Agent | undefined {
    return this.versions.get(agentId)?.at(-1)?.agent;
  }

  order(orderId: string): StopOrder | undefined {
    return this.orders.get(orderId)?.versions.at(-1)?.order;
  }
}

function open(gate: GateHistory, { seq }: Moment, by: 'settle' | 'release'): void {
  gate.openedSeq ??= seq;
  gate.openedBy ??= by;
}
