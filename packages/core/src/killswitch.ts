import { decideAccess } from './access.ts';
import { Admissions } from './admissions.ts';
import type { Agent, Handle, NewAgent, Task } from './agent.ts';
import { Book } from './book.ts';
import { Cleanup } from './cleanup.ts';
import { type KillswitchOptions, settingsOf } from './config.ts';
import {
  describeError,
  isKillswitchError,
  NotStartedError,
  UnknownTargetError,
  UnsavedError,
} from './errors.ts';
import { GuardedEvents, type KillswitchEvents } from './events.ts';
import { type Gate, gateOf } from './gate.ts';
import { GateCopies } from './gate-copies.ts';
import { Guard } from './guard.ts';
import { parseInput } from './input.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { onLeaseLost } from './lease-loss.ts';
import { Leases } from './leases.ts';
import type { OrderReport, StopOrder } from './order.ts';
import { membersOf, reportOf } from './order-report.ts';
import { pageOf } from './pages.ts';
import type { AccessRequest, Decision } from './ports/authorizer.ts';
import type { Page, PageRequest } from './ports/state-store.ts';
import type { Principal } from './principal.ts';
import { Reconciler } from './reconciler.ts';
import { Recorder } from './recorder.ts';
import { type ReleaseReport, Releases } from './releases.ts';
import {
  type GracefulRequest,
  type KillRequest,
  type Preview,
  type Request,
  Requests,
  type StopRequest,
} from './requests.ts';
import { restore } from './restore.ts';
import { type CleanupReport, type CleanupTarget, retryCleanup } from './retry-cleanup.ts';
import { reviewOwnAgents } from './review.ts';
import { type ListKey, type Scope, scopeKey, scopeSchema } from './scope.ts';
import { Stops } from './stops.ts';

/** What is shut and what is under way. */
export interface KillswitchStatus {
  readonly gates: readonly Gate[];
  readonly openOrders: readonly StopOrder[];
  /** Hosts whose lease has run out: nobody looks after their agents (`listHost` names those). */
  readonly lostHosts: readonly string[];
  /** Audit events cannot be made durable at the moment. */
  readonly auditDegraded: boolean;
}

/** Stops agents, sees them dead, keeps them stopped, and puts it on record. Made by {@link createKillswitch}. */
export interface Killswitch {
  readonly hostId: string;

  /**
   * Resumes what a crash left open, with the original deadlines, and looks after it from now on. Await it before
   * admitting agents. Calling it again returns the same promise.
   * @throws StateUnavailableError if the state store cannot be read: agents could be running that nobody knows of.
   */
  start(): Promise<void>;

  /**
   * Stops looking after orders and ends all timers; kills nobody. Open orders stay open for the next start. Calling it
   * again returns the same promise.
   * @throws UnsavedError if something stands in this process's memory only, for example a stop that the state store
   *   could not take: everything is closed all the same, and what is listed is lost with the process.
   */
  close(): Promise<void>;

  /**
   * Asks whether an agent may start, and registers it as `spawning`. Start it only after this resolves, then call
   * `running`, or `failed` if it did not start. `backendId` defaults to `local`, `sessionIds` to none.
   * @throws GateClosedError, AgentExistsError, ParentKilledError, TaskConflictError, UnknownTargetError (parent),
   *   InvalidInputError, StateUnavailableError, AuditUnavailableError (nothing can be put on record at the moment),
   *   NotStartedError. After any of them the agent must not start (I1, I10).
   */
  admit(agent: NewAgent): Promise<Agent>;

  /**
   * Says how the agent is reached, the preferred route first; told again, further routes are added. If it was killed, or
   * its end is on record, in the meantime, the returned agent says so, and what the handles reach is destroyed; until that
   * is seen dead, reports name it and stops of it do not settle.
   * @throws InvalidInputError, UnknownTargetError, StateUnavailableError.
   */
  running(agentId: string, handles: readonly Handle[]): Promise<Agent>;

  /**
   * Says that the agent has ended by itself. `false`: something else was first, for example a kill (I2); or it is not
   * seen dead, for example since descendants of it live: it stays `running`, and killable, until it is.
   */
  completed(agentId: string): Promise<boolean>;

  /** Like `completed`, for an agent that ended in error or never started. The error's text is bounded and cleaned. */
  failed(agentId: string, error: unknown): Promise<boolean>;

  /**
   * Kills every agent in scope, without grace. Resolves when the order has settled, or at its deadline (or `waitMs`)
   * with everybody named who is not observed dead; the kill goes on after that, also if the caller is gone (I8).
   * @throws InvalidInputError, ForbiddenError, UnknownTargetError, InvalidTransitionError (an agent that has ended).
   */
  kill(scope: Scope, request: KillRequest): Promise<OrderReport>;

  /**
   * Like `kill`, but agents are asked to end first and have the grace to do so (`graceMs`, default 10,000); its
   * deadlines count from there. A kill of the same scope in the meantime ends the grace (I7).
   */
  stop(scope: Scope, request: GracefulRequest): Promise<OrderReport>;

  /**
   * Who a kill of this scope would hit now, found the way the kill finds them, without any effect.
   * @throws InvalidInputError, UnknownTargetError, ForbiddenError (whoever may not kill may not preview; on record),
   *   StateUnavailableError.
   */
  preview(scope: Scope, principal: Principal): Promise<Preview>;

  /** Kills everything and latches: nothing is admitted anywhere until `release({ everything: true }, …)`. */
  emergencyStop(request: StopRequest): Promise<OrderReport>;

  /** Kills what runs on a backend; nothing is admitted there until `release({ backend }, …)`. */
  revokeBackend(backendId: string, request: StopRequest): Promise<OrderReport>;

  /**
   * Opens the gates that a hold, an emergency stop or a revocation left on a scope, those that stand now and no later
   * ones. Restarts nothing (I9). With `release.approvals` above 1, gates open at the request of that many people.
   * @throws InvalidInputError (agents and tasks stay stopped for good), ForbiddenError, AuditUnavailableError,
   *   StateUnavailableError, StoppedAgainError (somebody has stopped it again meanwhile). After any of them but
   *   StateUnavailableError the gates stand; after that one `status().gates` tells.
   */
  release(scope: Scope, request: Request): Promise<ReleaseReport>;

  /**
   * Has the failed cleanup steps of an agent, or of all agents that an order has killed, tried now: each is tried again by
   * itself too, with growing pauses. Resolves when this host has tried its own agents'; those of other hosts are left to
   * them. Asks for no principal: it does nothing that would not be done anyway.
   * @throws InvalidInputError, UnknownTargetError, InvalidTransitionError (an agent that lives), StateUnavailableError.
   */
  retryCleanup(target: CleanupTarget): Promise<CleanupReport>;

  /** What a stop order did so far. @throws UnknownTargetError, StateUnavailableError. */
  report(orderId: string): Promise<OrderReport>;

  /** A stop order as stored. @throws UnknownTargetError, StateUnavailableError. */
  order(orderId: string): Promise<StopOrder>;

  /** An agent in any status. @throws UnknownTargetError, StateUnavailableError. */
  agent(agentId: string): Promise<Agent>;

  /** A task: whose it is. @throws UnknownTargetError, StateUnavailableError. */
  task(taskId: string): Promise<Task>;

  /** A page of the live agents in a scope. @throws InvalidInputError, StateUnavailableError. */
  list(scope: Scope, page: PageRequest): Promise<Page<Agent>>;

  /**
   * A page of the live agents that a host admitted, for example one that is lost.
   * @throws InvalidInputError, StateUnavailableError.
   */
  listHost(hostId: string, page: PageRequest): Promise<Page<Agent>>;

  /** @throws StateUnavailableError. */
  status(): Promise<KillswitchStatus>;

  /**
   * For surfaces such as an HTTP API: whether the principal may, with the denial put on record.
   * @throws ForbiddenError, or UnknownTargetError for an agent or task of a foreign workspace (I11).
   */
  authorise(request: AccessRequest, reason?: string): Promise<Decision>;

  /** Whether the principal may, without a trace on record: for surfaces that show only what somebody may see. */
  may(request: AccessRequest): Promise<boolean>;

  /** Adds a listener, which can neither delay nor break anything (I5). The returned function removes it. */
  on<K extends keyof KillswitchEvents>(name: K, listener: (event: KillswitchEvents[K]) => void): () => void;
}

/** @throws InvalidConfigurationError listing every fault in the options. */
export function createKillswitch(options: KillswitchOptions): Killswitch {
  const settings = settingsOf(options);
  const { hostId, clock, deadlines, state, audit } = settings;
  const events = new GuardedEvents();
  const recorder = new Recorder(audit, clock, events, settings.lastResort);
  const book = new Book(state, clock, events, hostId, deadlines.state);
  const leases = new Leases(book, clock, hostId, deadlines.lease);
  const base = { ...settings, events, recorder, book, leases, sink: audit, startedAt: clock.now() };
  const copies = new GateCopies(base);
  const cleanup = new Cleanup({ ...base, steps: settings.cleanup, stepMs: deadlines.cleanup });
  const stops = new Stops({ ...base, cleanup });
  const guard = new Guard(base);
  const admissions = new Admissions({ ...base, cleanup, stops });
  const requests = new Requests({ ...base, guard, stops });
  const releases = new Releases({ ...base, guard, stops });
  const reconciler = new Reconciler({ ...base, cleanup, stops, admissions, releases, copies });
  const keeper = new LeaseKeeper({
    ...base,
    leaseMs: deadlines.lease,
    onLost: () => onLeaseLost({ ...base, stops }),
  });

  let started: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  let isClosed = false;
  let unwatch = (): void => undefined;

  const start = async (): Promise<void> => {
    await audit.open?.();
    await leases.renew();
    await leases.listen();
    // Kills go on at once, however long the record takes to be read (I5); then those that only it knew of.
    await reconciler.follow();
    await restore({ ...base, copies });
    await reconciler.follow();
    await reviewOwnAgents(base);
    await cleanup.resume();
    if (isClosed) return;
    keeper.start();
    reconciler.start();
    try {
      unwatch = state.watch(() => reconciler.hint());
    } catch (error) {
      // A hint saves time, no more.
      events.emit('warning', { message: `The state store gives no hints: ${describeError(error)}` });
    }
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    unwatch();
    keeper.stop();
    reconciler.stop();
    const unplaced = stops.unplaced();
    stops.stop();
    cleanup.stop();
    await book.tell().catch(() => undefined);
    await recorder.flush(deadlines.state);
    const unsaved = [
      ...unplaced.map(
        ({ orderId, scope }) => `stop order ${orderId} on ${scopeKey(scope)} is not in the state store`,
      ),
      ...stops.late(),
      ...(book.untold > 0 ? [`changes of ${book.untold} agents are not in the state store`] : []),
      ...(recorder.waiting > 0 ? [`${recorder.waiting} audit events are on the last resort only`] : []),
    ];
    recorder.stop();
    if (unsaved.length > 0) throw new UnsavedError(unsaved);
  };

  const order = async (orderId: string): Promise<StopOrder> => {
    const here = stops.get(orderId)?.order;
    const found = here ?? (await book.ask('reading an order', (store) => store.getOrder(orderId)));
    if (found === undefined) throw new UnknownTargetError('order', orderId);
    return found;
  };

  const list = async (key: ListKey, page: PageRequest): Promise<Page<Agent>> =>
    structuredClone(await book.listAgents(key, pageOf(page)).catch(blameCursor));

  return {
    hostId,
    start() {
      started ??= start().catch((error: unknown) => {
        started = undefined;
        throw error;
      });
      return started;
    },
    close() {
      closed ??= close();
      return closed;
    },
    async admit(agent) {
      if (started === undefined || isClosed) throw new NotStartedError();
      await started;
      return structuredClone(await admissions.admit(agent));
    },
    running: async (agentId, handles) => structuredClone(await admissions.running(agentId, handles)),
    completed: (agentId) => admissions.ended(agentId),
    failed: (agentId, error) => admissions.ended(agentId, error ?? 'failed'),
    kill: (scope, request) => requests.kill(scope, request),
    stop: (scope, request) => requests.stop(scope, request),
    preview: (scope, principal) => requests.preview(scope, principal),
    emergencyStop: (request) => requests.latch({ everything: true }, request),
    revokeBackend: (backend, request) => requests.latch({ backend }, request),
    release: (scope, request) => releases.release(scope, request),
    retryCleanup: (target) => retryCleanup({ ...base, cleanup }, target),
    order: async (orderId) => structuredClone(await order(orderId)),
    async report(orderId) {
      const run = stops.get(orderId);
      if (run !== undefined) return run.report();
      const ended = await order(orderId);
      const agents: Agent[] = [];
      for await (const page of membersOf(book, orderId)) agents.push(...page);
      return reportOf(ended, agents, clock.now());
    },
    async agent(agentId) {
      const found = await book.find(agentId);
      if (found === undefined) throw new UnknownTargetError('agent', agentId);
      return structuredClone(found);
    },
    async task(taskId) {
      const found = await book.findTask(taskId);
      if (found === undefined) throw new UnknownTargetError('task', taskId);
      return structuredClone(found);
    },
    list: async (scope, page) => list(scopeKey(parseInput('scope', scopeSchema, scope)), page),
    async status() {
      const here = stops.unplaced();
      const openOrders = await book
        .ask('listing open orders', (store) => store.listOpenOrders())
        .catch(orNothing(here));
      // After a call that shows whether the store answers at all.
      const gates = await book
        .askAtLength('listing gates', (store) => store.listGates())
        .catch(orNothing(here));
      return structuredClone({
        gates: [...gates, ...here.map(gateOf)],
        openOrders: [...openOrders, ...here],
        lostHosts: leases.lost(),
        auditDegraded: recorder.degraded,
      });
    },
    listHost: (hostId, page) => list(`host:${hostId}`, page),
    authorise: (request, reason) => guard.demand(request, reason),
    may: async (request) => (await decideAccess(settings.authorizer, clock, request)).effect === 'allow',
    on: (name, listener) => events.on(name, listener),
  };
}

/** A cursor that the store never gave is the caller's fault, not the store's. */
function blameCursor(error: unknown): never {
  const cause = isKillswitchError(error, 'state-unavailable') ? error.cause : undefined;
  throw isKillswitchError(cause, 'invalid-input') ? cause : error;
}

/** A stop that stands in this host's memory only must be seen, and the more so while the store cannot be read. */
function orNothing(here: readonly StopOrder[]): (error: unknown) => never[] {
  return (error) => {
    if (here.length === 0) throw error;
    return [];
  };
}
