import type { Clock, Killswitch, KillswitchStatus, ScopeKind } from '@agent-killswitch/core';
import { scopeKind } from '@agent-killswitch/core';
import { Gauge, type Registry } from 'prom-client';
import type { Registered } from './facts.ts';
import { Unconfirmed } from './unconfirmed.ts';

export interface StateOptions {
  readonly register: Registry;
  readonly stateMs: number;
  readonly clock: Clock;
}

const scopeKinds: readonly ScopeKind[] = ['agent', 'task', 'workspace', 'backend', 'host', 'everything'];

/** Gauges of what is shut, open, alive though it should not be, or in this process's memory only. */
export function showState(ks: Killswitch, { register, stateMs, clock }: StateOptions): Registered {
  const names: string[] = [];
  const unconfirmed = new Unconfirmed(ks);
  /** All gauges of one scrape share one question; one that hangs is not asked again beside itself. */
  let asking: Promise<KillswitchStatus | undefined> | undefined;
  const status = (): Promise<KillswitchStatus | undefined> => {
    asking ??= ks
      .status()
      .catch(() => undefined)
      .finally(() => {
        asking = undefined;
      });
    const late = new Promise<undefined>((resolve) => {
      const cancel = clock.setTimer(stateMs, () => resolve(undefined));
      void asking?.then(cancel);
    });
    return Promise.race([asking, late]);
  };
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
  const ofStatus = (
    name: string,
    help: string,
    read: (status: KillswitchStatus) => number | Promise<number>,
  ): void =>
    gauge(name, help, async (at) => {
      const found = await status();
      if (found === undefined) at.remove();
      else at.set(await read(found));
    });

  gauge('killswitch_state_up', 'Whether the state store answers', async (at) =>
    at.set((await status()) === undefined ? 0 : 1),
  );
  ofStatus('killswitch_open_stops', 'Stops that have not settled', ({ openOrders }) => openOrders.length);
  ofStatus(
    'killswitch_lost_hosts',
    'Hosts whose lease has run out: nobody looks after their agents',
    ({ lostHosts }) => lostHosts.length,
  );
  ofStatus(
    'killswitch_unconfirmed_agents',
    'Agents not observed dead by a deadline, and not since',
    (found) => unconfirmed.count(found),
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
      const found = await status();
      this.reset();
      if (found === undefined) return;
      for (const scope of scopeKinds) this.set({ scope }, 0);
      for (const gate of found.gates) this.inc({ scope: scopeKind(gate.scope) });
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
  return { names, offs: [() => unconfirmed.stop()] };
}
