import { Admissions } from './admissions.ts';
import type { Agent, Handle, NewAgent } from './agent.ts';
import { Book } from './book.ts';
import { Cleanup } from './cleanup.ts';
import { type KillswitchOptions, settingsOf } from './config.ts';
import { NotStartedError, UnknownTargetError } from './errors.ts';
import { GuardedEvents, type KillswitchEvents } from './events.ts';
import type { Gate } from './gate.ts';
import { Guard } from './guard.ts';
import type { OrderReport, StopOrder } from './order.ts';
import type { AccessRequest, Decision } from './ports/authorizer.ts';
import type { Page, PageRequest } from './ports/state-store.ts';
import { Recorder } from './recorder.ts';
import {
  type KillRequest,
  type ReleaseReport,
  type Request,
  Requests,
  type StopRequest,
} from './requests.ts';
import { reviewOwnAgents } from './review.ts';
import { type Scope, scopeKey } from './scope.ts';
import { reportOf } from './stop-run.ts';
import { Stops } from './stops.ts';

const tickMs = 1_000;

/** What is shut and what is under way. */
export interface KillswitchStatus {
  readonly gates: readonly Gate[];
  readonly openOrders: readonly StopOrder[];
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

  /** Stops looking after orders and ends all timers; kills nobody. Open orders stay open for the next start. */
  close(): Promise<void>;

  /**
   * Asks whether an agent may start, and registers it as `spawning`. Start it only after this resolves, then call
   * `running`, or `failed` if it did not start. `backendId` defaults to `local`, `sessionIds` to none.
   * @throws GateClosedError, AgentExistsError, ParentKilledError, TaskConflictError, UnknownTargetError (parent),
   *   InvalidInputError, StateUnavailableError, NotStartedError. After any of them the agent must not start (I1, I10).
   */
  admit(agent: NewAgent): Promise<Agent>;

  /**
   * Says how the agent is reached, the preferred route first. If it was killed in the meantime the returned agent is
   * `killing` or `killed`, and what the handles reach is destroyed.
   * @throws InvalidInputError, UnknownTargetError, InvalidTransitionError, StateUnavailableError.
   */
  running(agentId: string, handles: readonly Handle[]): Promise<Agent>;

  /** Says that the agent has ended by itself. `false`: something else was first, for example a kill (I2). */
  completed(agentId: string): Promise<boolean>;

  /** Like `completed`, for an agent that ended in error or never started. The error's text is bounded and cleaned. */
  failed(agentId: string, error: unknown): Promise<boolean>;

  /**
   * Kills every agent in scope, without grace. Resolves when the order has settled, or at its deadline (or `waitMs`)
   * with everybody named who is not observed dead; the kill goes on after that, also if the caller is gone (I8).
   * @throws InvalidInputError, ForbiddenError, UnknownTargetError, InvalidTransitionError (an agent that has ended).
   */
  kill(scope: Scope, request: KillRequest): Promise<OrderReport>;

  /** Kills everything and latches: nothing is admitted anywhere until `release({ everything: true }, …)`. */
  emergencyStop(request: StopRequest): Promise<OrderReport>;

  /** Kills what runs on a backend; nothing is admitted there until `release({ backend }, …)`. */
  revokeBackend(backendId: string, request: StopRequest): Promise<OrderReport>;

  /**
   * Opens the gates that a hold, an emergency stop or a revocation left on a scope. Restarts nothing (I9).
   * @throws InvalidInputError (agents and tasks stay stopped for good), ForbiddenError, AuditUnavailableError,
   *   StateUnavailableError. After any of them the gates stand.
   */
  release(scope: Scope, request: Request): Promise<ReleaseReport>;

  /** What a stop order did so far. @throws UnknownTargetError, StateUnavailableError. */
  report(orderId: string): Promise<OrderReport>;

  /** A stop order as stored. @throws UnknownTargetError, StateUnavailableError. */
  order(orderId: string): Promise<StopOrder>;

  /** An agent in any status. @throws UnknownTargetError, StateUnavailableError. */
  agent(agentId: string): Promise<Agent>;

  /** A page of the live agents in a scope. @throws StateUnavailableError. */
  list(scope: Scope, page: PageRequest): Promise<Page<Agent>>;

  /** @throws StateUnavailableError. */
  status(): Promise<KillswitchStatus>;

  /**
   * For surfaces such as an HTTP API: whether the principal may, with the denial put on record.
   * @throws ForbiddenError, or UnknownTargetError for an agent or task of a foreign workspace (I11).
   */
  authorise(request: AccessRequest, reason?: string): Promise<Decision>;

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
  const base = { ...settings, events, recorder, book, sink: audit, startedAt: clock.now() };
  const cleanup = new Cleanup({ ...base, steps: settings.cleanup, stepMs: deadlines.cleanup });
  const stops = new Stops({ ...base, cleanup });
  const guard = new Guard(base);
  const admissions = new Admissions({ ...base, cleanup, stops });
  const requests = new Requests({ ...base, guard, stops });

  let started: Promise<void> | undefined;
  let isClosed = false;
  let endings: Array<() => void> = [];

  const follow = async (): Promise<void> => {
    stops.follow(await book.ask('listing open orders', (store) => store.listOpenOrders()));
  };

  const start = async (): Promise<void> => {
    await follow();
    await reviewOwnAgents(base);
    let cancelTick = clock.setTimer(tickMs, tick);
    const unwatch = state.watch(() => {
      follow().then(
        () => stops.look(),
        () => undefined,
      );
    });
    endings = [() => cancelTick(), unwatch];

    /** Everything that nobody may have told us: other hosts' orders, changes the store missed, doubtful admissions. */
    function tick(): void {
      const round = async (): Promise<void> => {
        await follow();
        await book.tell();
        await admissions.settleDoubts();
      };
      round()
        .catch(() => undefined)
        .finally(() => {
          if (!isClosed) cancelTick = clock.setTimer(tickMs, tick);
        });
    }
  };

  const ready = async (): Promise<void> => {
    if (started === undefined || isClosed) throw new NotStartedError();
    await started;
  };

  const order = async (orderId: string): Promise<StopOrder> => {
    const here = stops.get(orderId)?.order;
    const found = here ?? (await book.ask('reading an order', (store) => store.getOrder(orderId)));
    if (found === undefined) throw new UnknownTargetError('order', orderId);
    return found;
  };

  return {
    hostId,
    start() {
      started ??= start().catch((error: unknown) => {
        started = undefined;
        throw error;
      });
      return started;
    },
    async close() {
      isClosed = true;
      for (const end of endings) end();
      stops.stop();
      await recorder.flush(deadlines.state);
      recorder.stop();
    },
    async admit(agent) {
      await ready();
      return admissions.admit(agent);
    },
    running: (agentId, handles) => admissions.running(agentId, handles),
    completed: (agentId) => admissions.ended(agentId),
    failed: (agentId, error) => admissions.ended(agentId, error ?? 'failed'),
    kill: (scope, request) => requests.kill(scope, request),
    emergencyStop: (request) => requests.latch({ everything: true }, request),
    revokeBackend: (backend, request) => requests.latch({ backend }, request),
    release: (scope, request) => requests.release(scope, request),
    order,
    async report(orderId) {
      const run = stops.get(orderId);
      if (run !== undefined) return run.report();
      const settled = await order(orderId);
      const agents: Agent[] = [];
      let cursor: string | undefined;
      do {
        const page = await book.ask('listing an order', (store) =>
          store.listOrder(orderId, cursor === undefined ? { limit: 1_000 } : { limit: 1_000, cursor }),
        );
        agents.push(...page.items);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return reportOf(settled, agents, clock.now());
    },
    async agent(agentId) {
      const found = await book.find(agentId);
      if (found === undefined) throw new UnknownTargetError('agent', agentId);
      return found;
    },
    list: (scope, page) => book.listScope(scopeKey(scope), page),
    async status() {
      const gates = await book.ask('listing gates', (store) => store.listGates());
      const openOrders = await book.ask('listing open orders', (store) => store.listOpenOrders());
      return { gates, openOrders, auditDegraded: recorder.degraded };
    },
    authorise: (request, reason) => guard.demand(request, reason),
    on: (name, listener) => events.on(name, listener),
  };
}
