import type { Clock, Killswitch, KillswitchStatus, ScopeKind } from '@agent-killswitch/core';
import { scopeKind } from '@agent-killswitch/core';
import { Gauge, type Registry } from 'prom-client';
import type { Registered } from './facts.ts';
import { Scrapes } from './scrapes.ts';

export interface StateOptions {
  readonly register: Registry;
  readonly stateMs: number;
  readonly clock: Clock;
}

const scopeKinds: readonly ScopeKind[] = ['agent', 'task', 'workspace', 'backend', 'host', 'everything'];

/** Gauges of what is shut, open, alive though it should not be, or in this process's memory only. */
export function showState(ks: Killswitch, { register, stateMs, clock }: StateOptions): Registered {
  const names: string[] = [];
  const scrapes = new Scrapes(ks, clock, stateMs);
  const gauge = (name: string, help: string, read: (at: Gauge) => void | Promise<void>): void => {
    names.push(name);
    new Gauge({
      name,
      help,
      registers: [register],
      async collect() {
        await read(this);
      },
    });
  };
  /** Without a sample while the store does not answer: an old number would look like a new one. */
  const ofStatus = (name: string, help: string, read: (status: KillswitchStatus) => number): void =>
    gauge(name, help, async (at) => {
      const { status } = await scrapes.find();
      if (status === undefined) at.remove();
      else at.set(read(status));
    });

  gauge('killswitch_state_up', 'Whether the state store answers', async (at) =>
    at.set((await scrapes.find()).status === undefined ? 0 : 1),
  );
  ofStatus('killswitch_open_stops', 'Stops that have not settled', ({ openOrders }) => openOrders.length);
  ofStatus(
    'killswitch_lost_hosts',
    'Hosts whose lease has run out: nobody looks after their agents',
    ({ lostHosts }) => lostHosts.length,
  );
  gauge(
    'killswitch_unconfirmed_agents',
    'Agents not observed dead by a deadline, and not since',
    async (at) => at.set((await scrapes.find()).unconfirmed.count),
  );
  gauge(
    'killswitch_unconfirmed_degraded',
    'Whether killswitch_unconfirmed_agents may be wrong: not all of them could be looked at in time',
    async (at) => at.set((await scrapes.find()).unconfirmed.isWhole ? 0 : 1),
  );
  ofStatus(
    'killswitch_gates',
    'Gates that are shut, those of killed tasks included',
    ({ gateCount }) => gateCount,
  );
  names.push('killswitch_gates_shut');
  new Gauge({
    name: 'killswitch_gates_shut',
    help: 'Gates that are shut, by kind of scope, a thousand at most: first those that open some day',
    labelNames: ['scope'],
    registers: [register],
    async collect() {
      const { status } = await scrapes.find();
      this.reset();
      if (status === undefined) return;
      for (const scope of scopeKinds) this.set({ scope }, 0);
      for (const gate of status.gates) this.inc({ scope: scopeKind(gate.scope) });
    },
  });
  const unsaved = () => ks.unsaved();
  gauge('killswitch_audit_degraded', 'Whether audit events cannot be made durable', (at) =>
    at.set(unsaved().auditDegraded ? 1 : 0),
  );
  gauge('killswitch_audit_waiting_events', 'Audit events that are not durable yet', (at) =>
    at.set(unsaved().auditEvents),
  );
  gauge(
    'killswitch_audit_lag_seconds',
    'How long audit events have waited without any becoming durable',
    (at) => at.set(unsaved().auditLagMs / 1_000),
  );
  gauge('killswitch_unsaved_stops', 'Stops that the state store has not taken', (at) =>
    at.set(unsaved().orders),
  );
  gauge('killswitch_unsaved_agents', 'Agents with changes that the state store has not taken', (at) =>
    at.set(unsaved().agents),
  );
  return { names, offs: [() => scrapes.stop()] };
}
