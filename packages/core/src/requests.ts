import { z } from 'zod';
import { isKillable } from './agent.ts';
import { iso } from './audit-event.ts';
import type { Deadlines } from './config.ts';
import { AuditUnavailableError, InvalidInputError, InvalidTransitionError } from './errors.ts';
import type { Gate } from './gate.ts';
import type { Guard, GuardHost, Target } from './guard.ts';
import { reasonSchema } from './identifiers.ts';
import { ulid } from './ids.ts';
import { parseInput } from './input.ts';
import type { OrderReport, StopOrder } from './order.ts';
import { actorOf, type Principal, principalSchema } from './principal.ts';
import { type Scope, scopeKey, scopeKind, scopeSchema } from './scope.ts';
import type { Stops } from './stops.ts';

const releaseRecordMs = 2_000;

/** Who asks, and why. */
export interface Request {
  /** From the caller's authentication. */
  readonly principal: Principal;
  /** Mandatory, not blank, at most 2,000 characters. */
  readonly reason: string;
}

export interface StopRequest extends Request {
  /** How long to wait for the order to settle, in milliseconds; at most, and by default, until its deadline. */
  readonly waitMs?: number | undefined;
}

export interface KillRequest extends StopRequest {
  /** Keeps the gate on a workspace, a backend or everything shut after the kill, until a release. Default `false`. */
  readonly hold?: boolean | undefined;
}

export interface ReleaseReport {
  readonly releaseId: string;
  readonly scope: Scope;
  /** The gates that were opened; empty if none stood. Nothing was restarted. */
  readonly gates: readonly Gate[];
}

const requestSchema = z.strictObject({ principal: principalSchema, reason: reasonSchema });
const killRequestSchema = requestSchema.extend({
  waitMs: z.number().int().nonnegative().optional(),
  hold: z.boolean().default(false),
});

export interface RequestHost extends GuardHost {
  readonly deadlines: Deadlines;
  readonly guard: Guard;
  readonly stops: Stops;
}

/** Takes stops and releases from principals: validate, authorise, place the order, wait, report. */
export class Requests {
  readonly #host: RequestHost;

  constructor(host: RequestHost) {
    this.#host = host;
  }

  /** See `Killswitch.kill`. */
  async kill(scopeInput: Scope, input: KillRequest): Promise<OrderReport> {
    const scope = parseInput('scope', scopeSchema, scopeInput);
    const request = parseInput('request', killRequestSchema, input);
    const kind = scopeKind(scope);
    if (request.hold && (kind === 'agent' || kind === 'task')) {
      throw new InvalidInputError('request', [`hold: what was killed as a ${kind} stays stopped without it`]);
    }
    return this.#stop(scope, kind === 'task' ? 'never' : request.hold ? 'on-release' : 'at-settle', request);
  }

  /** See `Killswitch.emergencyStop` and `Killswitch.revokeBackend`. */
  async latch(scopeInput: Scope, input: StopRequest): Promise<OrderReport> {
    const scope = parseInput('scope', scopeSchema, scopeInput);
    return this.#stop(
      scope,
      'on-release',
      parseInput('request', killRequestSchema.omit({ hold: true }), input),
    );
  }

  /** See `Killswitch.release`. */
  async release(scopeInput: Scope, input: Request): Promise<ReleaseReport> {
    const { guard, clock, randomBytes, recorder, hostId, book } = this.#host;
    const scope = parseInput('scope', z.union(scopeSchema.options.slice(2)), scopeInput);
    const { principal, reason } = parseInput('request', requestSchema, input);
    const workspace = 'workspace' in scope ? { workspaceId: scope.workspace } : {};
    const decision = await guard.demand({ principal, action: 'release', scope, ...workspace }, reason);
    const at = clock.now();
    const releaseId = `rel_${ulid(at, randomBytes)}`;
    const fact = {
      version: 1 as const,
      hostId,
      ...workspace,
      releaseId,
      scope,
      principal: actorOf(principal),
      reason,
    };
    const { policyVersion } = decision;
    recorder.record({
      ...fact,
      id: ulid(at, randomBytes),
      time: iso(at),
      type: 'release.requested',
      policyVersion,
    });
    if (!(await recorder.flush(releaseRecordMs))) {
      throw new AuditUnavailableError(
        'Not released: the audit record cannot be written. Restore the audit sink and release again',
      );
    }
    const gates = await book.ask('releasing', (store) => store.release(scopeKey(scope)));
    const openedAt = clock.now();
    const orderIds = gates.map((gate) => gate.orderId);
    recorder.record({
      ...fact,
      id: ulid(openedAt, randomBytes),
      time: iso(openedAt),
      type: 'gate.released',
      orderIds,
    });
    await recorder.flush(releaseRecordMs);
    return { releaseId, scope, gates };
  }

  async #stop(scope: Scope, opens: StopOrder['opens'], request: StopRequest): Promise<OrderReport> {
    const { guard, clock, stops } = this.#host;
    const { principal, reason } = request;
    const target = await guard.resolve(scope);
    const facts = factsOf(target);
    const decision = await guard.demand({ principal, action: 'kill', scope, ...facts }, reason);
    const { agent } = target;
    if (agent !== undefined && !isKillable(agent) && agent.status !== 'killing') {
      throw new InvalidTransitionError(
        `Agent "${agent.agentId}" is ${agent.status}: there is nothing to kill`,
      );
    }
    const order = this.#order(scope, opens, principal, reason, decision.policyVersion, facts);
    const run = await stops.place(order);
    const left = Math.min(order.deadlineAt, run.order.deadlineAt) - clock.now();
    await this.#within(Math.min(left, request.waitMs ?? left), run.settled);
    return run.report();
  }

  #order(
    scope: Scope,
    opens: StopOrder['opens'],
    principal: Principal,
    reason: string,
    policyVersion: string,
    facts: Pick<StopOrder, 'workspaceId' | 'ownerId'>,
  ): StopOrder {
    const { clock, randomBytes, hostId, deadlines } = this.#host;
    const requestedAt = clock.now();
    return {
      orderId: `ord_${ulid(requestedAt, randomBytes)}`,
      revision: 0,
      hostId,
      scope,
      ...facts,
      opens,
      principal: actorOf(principal),
      reason,
      policyVersion,
      requestedAt,
      forceAt: requestedAt + deadlines.forceAfter,
      deadlineAt: requestedAt + deadlines.confirmWithin,
    };
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#host.clock.setTimer(Math.max(0, ms), resolve);
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

function factsOf({ workspaceId, ownerId }: Target): Pick<StopOrder, 'workspaceId' | 'ownerId'> {
  return {
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(ownerId === undefined ? {} : { ownerId }),
  };
}
