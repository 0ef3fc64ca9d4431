import { type Agent, isKillable } from './agent.ts';
import type { Deadlines } from './config.ts';
import { InvalidInputError, InvalidTransitionError, isKillswitchError } from './errors.ts';
import { type Gate, gateOf } from './gate.ts';
import type { Guard, GuardHost } from './guard.ts';
import { ulid } from './ids.ts';
import { parseInput } from './input.ts';
import type { OrderReport, StopOrder } from './order.ts';
import { pagesOf } from './pages.ts';
import { type Actor, actorOf, type Principal, principalSchema } from './principal.ts';
import {
  type GracefulRequest,
  gracefulRequestSchema,
  type KillRequest,
  killRequestSchema,
  type StopRequest,
} from './request.ts';
import { type Scope, scopeKey, scopeKind, scopeSchema } from './scope.ts';
import { type ShutdownRequest, shutdownAuthority, shutdownRequestSchema } from './shutdown.ts';
import type { Stops } from './stops.ts';
import type { Target } from './target.ts';

/** Who would be hit by a kill of this scope now. */
export interface Preview {
  readonly scope: Scope;
  /** Live agents; those already being killed are among them. */
  readonly total: number;
  readonly byStatus: { readonly spawning: number; readonly running: number; readonly killing: number };
  readonly tasks: number;
  readonly workspaces: number;
  /** The first 1,000 of them. */
  readonly agents: readonly Agent[];
}

const mostPreviewed = 1_000;

export interface RequestHost extends GuardHost {
  readonly deadlines: Deadlines;
  readonly guard: Guard;
  readonly stops: Stops;
  /** Has this host admit nobody any more. */
  readonly bar: (gate: Gate) => void;
}

/** Takes stops from principals: validate, authorise, place the order, wait, report. */
export class Requests {
  readonly #host: RequestHost;

  constructor(host: RequestHost) {
    this.#host = host;
  }

  /** See `Killswitch.kill`. */
  async kill(scopeInput: Scope, input: KillRequest): Promise<OrderReport> {
    const scope = parseInput('scope', scopeSchema, scopeInput);
    const request = parseInput('request', killRequestSchema, input);
    return this.#stop(scope, opensOf(scope, request.hold), request, 0);
  }

  /** See `Killswitch.stop`. */
  async stop(scopeInput: Scope, input: GracefulRequest): Promise<OrderReport> {
    const scope = parseInput('scope', scopeSchema, scopeInput);
    const request = parseInput('request', gracefulRequestSchema, input);
    return this.#stop(scope, opensOf(scope, request.hold), request, request.graceMs);
  }

  /** See `Killswitch.emergencyStop` and `Killswitch.revokeBackend`. */
  async latch(scopeInput: Scope, input: StopRequest): Promise<OrderReport> {
    const scope = parseInput('scope', scopeSchema, scopeInput);
    return this.#stop(
      scope,
      'on-release',
      parseInput('request', killRequestSchema.omit({ hold: true }), input),
      0,
    );
  }

  /** See `Killswitch.shutdown`. */
  async shutdown(input: ShutdownRequest): Promise<OrderReport> {
    const { reason, graceMs, waitMs } = parseInput('request', shutdownRequestSchema, input);
    const deadlines = this.#deadlines(graceMs);
    const scope = { host: this.#host.hostId };
    const { principal, policyVersion } = shutdownAuthority;
    const order = { ...this.#order(scope, 'at-settle', principal, reason), policyVersion, ...deadlines };
    this.#host.bar(gateOf(order));
    return this.#carryOut(order, order.requestedAt + (waitMs ?? Infinity));
  }

  /** See `Killswitch.preview`. */
  async preview(scopeInput: Scope, principalInput: Principal): Promise<Preview> {
    const { guard, book, clock } = this.#host;
    const scope = parseInput('scope', scopeSchema, scopeInput);
    const principal = parseInput('principal', principalSchema, principalInput);
    await guard.demandKill(principal, scope);
    const byStatus = { spawning: 0, running: 0, killing: 0 };
    const tasks = new Set<string>();
    const workspaces = new Set<string>();
    const first: Agent[] = [];
    for await (const agents of pagesOf(clock, (page) => book.listAgents(scopeKey(scope), page))) {
      for (const agent of agents) {
        if (!isKillable(agent) && agent.status !== 'killing') continue;
        byStatus[agent.status as keyof typeof byStatus] += 1;
        tasks.add(agent.taskId);
        workspaces.add(agent.workspaceId);
        if (first.length < mostPreviewed) first.push(agent);
      }
    }
    const total = byStatus.spawning + byStatus.running + byStatus.killing;
    return { scope, total, byStatus, tasks: tasks.size, workspaces: workspaces.size, agents: first };
  }

  async #stop(
    scope: Scope,
    opens: StopOrder['opens'],
    request: StopRequest,
    graceMs: number,
  ): Promise<OrderReport> {
    const { guard, clock } = this.#host;
    const askedAt = clock.now();
    const { principal, reason } = request;
    const barred = this.#isBarredForGood(scope, opens);
    const { target, decision } = await guard.demandKill(principal, scope, reason);
    const { policyVersion } = decision;
    // Whom a kill claims bars all descendants by its own record; who has ended by itself needs a gate for that (I1).
    const wanted = hasEnded(target) ? 'never' : opens;
    const isBarred = await (wanted === opens ? barred : this.#isBarredForGood(scope, wanted));
    const opensNow = isBarred ? 'at-settle' : wanted;
    const order = {
      ...this.#order(scope, opensNow, actorOf(principal), reason),
      ...{ ...factsOf(target), policyVersion, ...this.#deadlines(graceMs) },
    };
    const { agent } = target;
    const isOver = agent !== undefined && !isKillable(agent) && agent.status !== 'killing';
    if (isOver && !(await this.#hasLiving(order))) {
      throw new InvalidTransitionError(
        `Agent "${agent.agentId}" is ${agent.status}: there is nothing to kill`,
      );
    }
    return this.#carryOut(order, askedAt + (request.waitMs ?? Infinity));
  }

  /** Places an order and waits until it is settled, or at its deadline, but for no longer than until `waitUntil`. */
  async #carryOut(order: StopOrder, waitUntil: number): Promise<OrderReport> {
    const run = await this.#host.stops.place(order);
    const latest = Math.min(order.deadlineAt, waitUntil);
    await this.#until(Math.min(latest, run.order.deadlineAt), run.ended);
    // Whoever joins an order that is overdue, and has time, is told of everybody who is not dead yet, too (I1).
    if (!run.hasLooked) await this.#until(latest, run.looked);
    return run.report();
  }

  /**
   * Whether a kill of this task or agent is over and has left the gate that stands for good: one more beside it would bar nobody
   * else, and each kill after that would leave another (I12). As long as that one is open it is joined. Where an agent of this
   * host still lives nobody has to ask: it is over after this kill. Never rejects.
   */
  async #isBarredForGood(scope: Scope, opens: StopOrder['opens']): Promise<boolean> {
    const { book } = this.#host;
    if (opens !== 'never' || book.ownIn(scopeKey(scope)).some(isKillable)) return false;
    try {
      const gates = await book.ask('listing gates', (store) => store.listGates(scopeKey(scope)));
      const gate = gates.find((each) => each.opens === 'never');
      if (gate === undefined) return false;
      const order = await book.ask('reading an order', (store) => store.getOrder(gate.orderId));
      return order?.settledAt !== undefined;
    } catch {
      // In doubt there is one gate more.
      return false;
    }
  }

  /** An agent that is over may have descendants that are not, or a handle that came later. */
  async #hasLiving(order: StopOrder): Promise<boolean> {
    const { book, stops } = this.#host;
    if (stops.late(order).length > 0) return true;
    const key = scopeKey(order.scope);
    try {
      return (await book.listAgents(key, { limit: 1 })).items.length > 0;
    } catch (error) {
      if (isKillswitchError(error, 'state-unavailable')) return book.ownIn(key).length > 0;
      throw error;
    }
  }

  #order(scope: Scope, opens: StopOrder['opens'], principal: Actor, reason: string) {
    const { clock, randomBytes, hostId } = this.#host;
    const orderId = `ord_${ulid(clock.now(), randomBytes)}`;
    return { orderId, revision: 0, hostId, scope, opens, principal, reason };
  }

  #deadlines(graceMs: number): Pick<StopOrder, 'requestedAt' | 'killAt' | 'forceAt' | 'deadlineAt'> {
    const { clock, deadlines } = this.#host;
    const requestedAt = clock.now();
    const killAt = requestedAt + graceMs;
    return {
      requestedAt,
      killAt,
      forceAt: killAt + deadlines.forceAfter,
      deadlineAt: killAt + deadlines.confirmWithin,
    };
  }

  /** A timer may go off a moment early, at which whoever is not confirmed dead would not be overdue yet (I1). */
  async #until(at: number, work: Promise<unknown>): Promise<void> {
    const { clock } = this.#host;
    await new Promise<void>((resolve) => {
      let cancel = (): void => undefined;
      const look = (): void => {
        const left = at - clock.now();
        if (left <= 0) resolve();
        else cancel = clock.setTimer(left, look);
      };
      look();
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

/** @throws InvalidInputError for a hold where there is nothing to hold. */
function opensOf(scope: Scope, hold: boolean): StopOrder['opens'] {
  const kind = scopeKind(scope);
  if (hold && (kind === 'agent' || kind === 'task')) {
    throw new InvalidInputError('request', [`hold: what was killed as a ${kind} stays stopped without it`]);
  }
  // A host's agents may be anywhere: a lasting bar is on a backend, a workspace or everything.
  if (hold && kind === 'host') throw new InvalidInputError('request', ['hold: a host cannot be held']);
  return kind === 'task' ? 'never' : hold ? 'on-release' : 'at-settle';
}

function hasEnded({ agent }: Target): boolean {
  return agent?.status === 'completed' || agent?.status === 'failed';
}

function factsOf({ workspaceId, ownerId }: Target): Pick<StopOrder, 'workspaceId' | 'ownerId'> {
  return {
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(ownerId === undefined ? {} : { ownerId }),
  };
}
