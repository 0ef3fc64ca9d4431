import { accessInput, accessReason, decideAccess } from './access.ts';
import { Admissions } from './admissions.ts';
import { Book } from './book.ts';
import { Cleanup } from './cleanup.ts';
import { type KillswitchOptions, settingsOf } from './config.ts';
import { GuardedEvents } from './events.ts';
import { GateCopies } from './gate-copies.ts';
import { Guard } from './guard.ts';
import { parseInput, textInput } from './input.ts';
import type { Killswitch } from './killswitch.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { onLeaseLost } from './lease-loss.ts';
import { Leases } from './leases.ts';
import { Lifetime } from './lifetime.ts';
import { Lookups } from './lookups.ts';
import { LostState } from './lost-state.ts';
import { openedFirst } from './opened-first.ts';
import { Reconciler } from './reconciler.ts';
import { Recorder } from './recorder.ts';
import { Releases } from './releases.ts';
import { Requests } from './requests.ts';
import { retryCleanup } from './retry-cleanup.ts';
import { scopeKey, scopeSchema } from './scope.ts';
import { Stops } from './stops.ts';
import { Unanswered } from './unanswered.ts';

/** @throws InvalidConfigurationError listing every fault in the options. */
export function createKillswitch(options: KillswitchOptions): Killswitch {
  const settings = settingsOf(options);
  const { hostId, clock, deadlines, state } = settings;
  const events = new GuardedEvents();
  const sink = openedFirst(settings.audit, clock);
  const recorder = new Recorder(sink, clock, events, settings.lastResort);
  const book = new Book(state, clock, events, hostId, deadlines.state);
  const leases = new Leases(book, clock, hostId, deadlines.lease);
  const base = {
    ...settings,
    events,
    recorder,
    book,
    leases,
    sink,
    startedAt: clock.now(),
    earlier: new Set<string>(),
    unanswered: new Unanswered(),
  };
  const copies = new GateCopies(base);
  const cleanup = new Cleanup({ ...base, steps: settings.cleanup, stepMs: deadlines.cleanup });
  const stops = new Stops({ ...base, cleanup });
  const guard = new Guard(base);
  const admissions = new Admissions({ ...base, cleanup, stops });
  const requests = new Requests({ ...base, guard, stops, bar: (gate) => admissions.bar(gate) });
  const releases = new Releases({ ...base, guard, stops });
  const lost = new LostState({ ...base, stateMs: deadlines.state, stops, copies });
  const reconciler = new Reconciler({ ...base, cleanup, stops, admissions, releases, copies, lost });
  const onLost = (): void => onLeaseLost({ ...base, stops });
  const keeper = new LeaseKeeper({ ...base, leaseMs: deadlines.lease, onLost });
  const lifetime = new Lifetime({ ...base, copies, cleanup, stops, reconciler, keeper, lost });
  const lookups = new Lookups({ ...base, stops });

  return {
    hostId,
    start: () => lifetime.start(),
    close: () => lifetime.close(),
    async admit(agent) {
      await lifetime.running();
      return structuredClone(await admissions.admit(agent));
    },
    running: async (agentId, handles) => structuredClone(await admissions.running(agentId, handles)),
    completed: (agentId) => admissions.ended(agentId),
    failed: (agentId, error) => admissions.ended(agentId, error ?? 'failed'),
    kill: (scope, request) => requests.kill(scope, request),
    stop: (scope, request) => requests.stop(scope, request),
    shutdown: (request) => requests.shutdown(request),
    preview: (scope, principal) => requests.preview(scope, principal),
    emergencyStop: (request) => requests.latch({ everything: true }, request),
    revokeBackend: (backend, request) => requests.latch({ backend }, request),
    release: (scope, request) => releases.release(scope, request),
    retryCleanup: (target) => retryCleanup({ ...base, cleanup }, target),
    report: (orderId) => lookups.report(orderId),
    order: (orderId) => lookups.order(orderId),
    agent: (agentId) => lookups.agent(agentId),
    task: (taskId) => lookups.task(taskId),
    list: async (scope, page) => lookups.list(scopeKey(parseInput('scope', scopeSchema, scope)), page),
    unsaved: () => ({
      orders: stops.unplaced().length,
      agents: book.untold,
      auditEvents: recorder.waiting,
      auditLagMs: recorder.lagMs,
      auditDegraded: recorder.degraded,
    }),
    listHost: async (hostId, page) => lookups.list(`host:${textInput('hostId', hostId)}`, page),
    status: () => lookups.status(),
    authorise: async (request, reason) => guard.demand(accessInput(request), accessReason(reason)),
    may: async (request) =>
      (await decideAccess(settings.authorizer, clock, accessInput(request))).effect === 'allow',
    on: (name, listener) => events.on(name, listener),
  };
}
