import type { AuditEvent, Killswitch } from '@agent-killswitch/core';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Around the deadlines: most deaths take milliseconds, force comes at 2 s, the deadline at 5 s. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
/** Orders, and releases, whose request is remembered; more are never under way at once. */
const mostRemembered = 10_000;

/** What is registered, and what ends it. */
export interface Registered {
  readonly names: readonly string[];
  readonly offs: ReadonlyArray<() => void>;
}

/** Counters of everything that goes on the audit record, and how long stops take. */
export function countFacts(ks: Pick<Killswitch, 'on' | 'order'>, register: Registry): Registered {
  const names: string[] = [];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> => {
    names.push(name);
    return new Counter({ name, help, labelNames, registers: [register] });
  };
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]): Histogram<L> => {
    names.push(name);
    return new Histogram({ name, help, labelNames, buckets, registers: [register] });
  };
  const audited = counter(
    'killswitch_audit_events_total',
    'What was put on the audit record, by type',
    'type',
  );
  const stops = counter(
    'killswitch_stops_total',
    'Stops that this host was asked for, by operation',
    'operation',
  );
  const settled = counter(
    'killswitch_stops_settled_total',
    'Stops with nobody left alive in scope',
    'operation',
  );
  const kills = counter(
    'killswitch_kills_total',
    'Agents by what a stop came to: confirmed (observed dead), unconfirmed (not by the deadline; counted again when it dies)',
    'outcome',
    'operation',
    'forced',
  );
  const cleanups = counter(
    'killswitch_cleanups_total',
    'Cleanup steps of dead agents, by how they ended',
    'step',
    'status',
  );
  const denials = counter('killswitch_denials_total', 'Requests by somebody who may not', 'action');
  const releases = counter('killswitch_releases_total', 'Releases that opened gates');
  const transitions = counter('killswitch_agent_transitions_total', 'Changes of status of agents', 'to');
  const warnings = counter('killswitch_warnings_total', 'Failures that changed nothing for a caller');
  const signal = histogram(
    'killswitch_time_to_signal_seconds',
    'From the request until an agent was told to die',
    'operation',
  );
  const death = histogram(
    'killswitch_time_to_death_seconds',
    'From the request until an agent was observed dead',
    'operation',
  );
  const settling = histogram(
    'killswitch_time_to_settled_seconds',
    'From the request until nobody in scope was alive',
    'operation',
  );

  const requested = new Map<string, number>();
  /** Releases that this host was asked for. */
  const releasing = new Map<string, number>();
  const count = (event: AuditEvent, isCopy: boolean): void => {
    audited.inc({ type: event.type });
    switch (event.type) {
      case 'order.requested':
        // What another host was asked for, it counts.
        if (!isCopy) stops.inc({ operation: event.operation });
        remember(requested, event.orderId, Date.parse(event.time));
        break;
      case 'order.settled': {
        const { operation } = event;
        settled.inc({ operation });
        const observe = (since: number): void => settling.observe({ operation }, seconds(since, event.time));
        const since = requested.get(event.orderId);
        requested.delete(event.orderId);
        if (since !== undefined) observe(since);
        // Asked for in an earlier life of this process, or of a host that is lost.
        else
          ks.order(event.orderId).then(
            ({ requestedAt }) => observe(requestedAt),
            () => undefined,
          );
        break;
      }
      case 'agent.killed': {
        const { operation } = event;
        kills.inc({ outcome: 'confirmed', operation, forced: String(event.forced) });
        // Under another host's order, only when its kill began here is known.
        const since = requested.get(event.orderId) ?? Date.parse(event.requestedAt);
        if (event.signalledAt !== undefined) signal.observe({ operation }, seconds(since, event.signalledAt));
        death.observe({ operation }, seconds(since, event.confirmedAt));
        break;
      }
      case 'agent.unconfirmed':
        kills.inc({ outcome: 'unconfirmed', operation: event.operation, forced: String(event.forced) });
        break;
      case 'cleanup.finished':
        cleanups.inc({ step: event.step, status: event.status });
        break;
      case 'request.denied':
        denials.inc({ action: event.action });
        break;
      case 'release.requested':
        remember(releasing, event.releaseId, Date.parse(event.time));
        break;
      case 'gate.released':
        // Told of as of any other if the gates were seen open before it was.
        if (releasing.delete(event.releaseId) || !isCopy) releases.inc();
        break;
      default:
    }
  };
  return {
    names,
    offs: [
      ks.on('audit', ({ event, isCopy }) => count(event, isCopy)),
      ks.on('transition', ({ agent }) => transitions.inc({ to: agent.status })),
      ks.on('warning', () => warnings.inc()),
    ],
  };
}

/** Never negative: a fact may be older than the request that it came to stand under. */
function seconds(since: number, until: string): number {
  return Math.max(0, Date.parse(until) - since) / 1_000;
}

function remember(times: Map<string, number>, id: string, at: number): void {
  times.set(id, at);
  const [oldest] = times.keys();
  if (times.size > mostRemembered && oldest !== undefined) times.delete(oldest);
}
