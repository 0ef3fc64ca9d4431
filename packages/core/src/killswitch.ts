import type { Agent, Handle, NewAgent, Task } from './agent.ts';
import type { KillswitchEvents } from './events.ts';
import type { Gate } from './gate.ts';
import type { OrderReport, StopOrder } from './order.ts';
import type { AccessRequest, Decision } from './ports/authorizer.ts';
import type { Page, PageRequest } from './ports/state-store.ts';
import type { Principal } from './principal.ts';
import type { ReleaseReport } from './releases.ts';
import type { GracefulRequest, KillRequest, Request, StopRequest } from './request.ts';
import type { Preview } from './requests.ts';
import type { CleanupReport, CleanupTarget } from './retry-cleanup.ts';
import type { Scope } from './scope.ts';
import type { ShutdownRequest } from './shutdown.ts';

/** What is shut and what is under way. */
export interface KillswitchStatus {
  /** At most 1,000: those that open some day before those that never do, newer ones before older ones. */
  readonly gates: readonly Gate[];
  /** How many gates stand: more than `gates` holds, if those are too many to show. */
  readonly gateCount: number;
  readonly openOrders: readonly StopOrder[];
  /** Hosts whose lease has run out: nobody looks after their agents (`listHost` names those). */
  readonly lostHosts: readonly string[];
  /** Audit events cannot be made durable at the moment. */
  readonly auditDegraded: boolean;
}

/** What stands in the memory of this process only at the moment, and would be lost with it. */
export interface Unsaved {
  /** Stops that the state store has not taken. */
  readonly orders: number;
  /** Agents with changes that the state store has not taken. */
  readonly agents: number;
  /** Audit events that are not durable yet. */
  readonly auditEvents: number;
  /** How long audit events have waited without any becoming durable, in milliseconds. */
  readonly auditLagMs: number;
  /** Audit events cannot be made durable; each is on the last resort too. */
  readonly auditDegraded: boolean;
}

/** Stops agents, sees them dead, keeps them stopped, and puts it on record. Made by `createKillswitch`. */
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
   * Says how the agent is reached, the preferred route first; told again, further routes are added, up to 16. All of them are
   * routes to one and the same thing: one that is seen dead, while none is seen alive, is the agent's death. What can live
   * on its own is an agent of its own, such as a child.
   *
   * If it was killed, or its end is on record, in the meantime, the returned agent says so, and what the handles reach is
   * destroyed; until that is seen dead, reports name it and stops of it do not settle. The same with handles beyond the 16,
   * which are refused together with all that were given with them.
   * @throws InvalidInputError, UnknownTargetError, StateUnavailableError, TooManyHandlesError.
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
   * @throws InvalidInputError, ForbiddenError, UnknownTargetError, InvalidTransitionError (an agent that has ended, and of
   *   which this host knows nothing that lives: no descendant, and no handle that came too late).
   */
  kill(scope: Scope, request: KillRequest): Promise<OrderReport>;

  /**
   * Like `kill`, but agents are asked to end first and have the grace to do so (`graceMs`, default 10,000); its
   * deadlines count from there. A kill of the same scope in the meantime ends the grace (I7).
   */
  stop(scope: Scope, request: GracefulRequest): Promise<OrderReport>;

  /**
   * Stops this host for good: admits nobody any more (`GateClosedError`), then does what `stop` does to all that it has
   * admitted. Asks no authorizer, since whoever holds this object may as well end the process, and is on record as asked for by
   * `system:shutdown`. Called again it joins, and hardens if its grace is shorter (I7). `close` it afterwards.
   * @throws InvalidInputError
   */
  shutdown(request: ShutdownRequest): Promise<OrderReport>;

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
   * ones. Restarts nothing (I9). With `release.approvals` above 1, gates open at the request of that many people,
   * all of them after the newest stop of that scope.
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

  /** Asks nobody, so it answers whatever is down. */
  unsaved(): Unsaved;

  /**
   * For surfaces such as an HTTP API: whether the principal may, with the denial put on record.
   * @throws InvalidInputError, ForbiddenError, or UnknownTargetError for an agent or task of a foreign workspace (I11).
   */
  authorise(request: AccessRequest, reason?: string): Promise<Decision>;

  /** Whether the principal may, without a trace on record: for surfaces that show only what somebody may see. @throws InvalidInputError. */
  may(request: AccessRequest): Promise<boolean>;

  /** Adds a listener, which can neither delay nor break anything (I5). The returned function removes it. */
  on<K extends keyof KillswitchEvents>(name: K, listener: (event: KillswitchEvents[K]) => void): () => void;
}
