import { decideAccess } from './access.ts';
import type { Agent } from './agent.ts';
import { iso } from './audit-event.ts';
import type { Book } from './book.ts';
import { ForbiddenError, UnknownTargetError } from './errors.ts';
import { type RandomBytes, ulid } from './ids.ts';
import type { AccessRequest, Authorizer, Decision } from './ports/authorizer.ts';
import type { Clock } from './ports/clock.ts';
import { actorOf } from './principal.ts';
import type { Recorder } from './recorder.ts';
import { belongsTo } from './role-policy.ts';
import { type Scope, scopeKind } from './scope.ts';

const recordMs = 100;

/** What authority over a scope depends on. */
export interface Target {
  readonly workspaceId?: string;
  readonly ownerId?: string;
  /** The scoped agent, for an `agent` scope. */
  readonly agent?: Agent;
}

export interface GuardHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly authorizer: Authorizer;
  readonly book: Book;
  readonly recorder: Recorder;
}

/** Decides who gets through, and puts every denial on record. */
export class Guard {
  readonly #host: GuardHost;

  constructor(host: GuardHost) {
    this.#host = host;
  }

  /** @throws UnknownTargetError for an agent or task that is not there; StateUnavailableError if that cannot be known. */
  async resolve(scope: Scope): Promise<Target> {
    if ('agent' in scope) {
      const agent = await this.#host.book.find(scope.agent);
      if (agent === undefined) throw new UnknownTargetError('agent', scope.agent);
      return { workspaceId: agent.workspaceId, ownerId: agent.ownerId, agent };
    }
    if ('task' in scope) {
      const task = await this.#host.book.findTask(scope.task);
      if (task === undefined) throw new UnknownTargetError('task', scope.task);
      return { workspaceId: task.workspaceId, ownerId: task.ownerId };
    }
    return 'workspace' in scope ? { workspaceId: scope.workspace } : {};
  }

  /**
   * Returns the decision if it allows; `reason` is what the principal gave, for the record of a denial.
   * @throws UnknownTargetError for an agent or task in a workspace that is none of the principal's, as if it were not
   *   there (I11); ForbiddenError for any other denial.
   */
  async demand(request: AccessRequest, reason?: string): Promise<Decision> {
    const { authorizer, clock, recorder } = this.#host;
    const decision = await decideAccess(authorizer, clock, request);
    if (decision.effect === 'allow') return decision;
    this.#recordDenial(request, decision, reason);
    await recorder.flush(recordMs);
    const { scope, principal, workspaceId } = request;
    const foreign = workspaceId !== undefined && !belongsTo(principal, workspaceId);
    if (foreign && 'agent' in scope) throw new UnknownTargetError('agent', scope.agent);
    if (foreign && 'task' in scope) throw new UnknownTargetError('task', scope.task);
    const kind = scopeKind(scope);
    const what = kind === 'everything' ? kind : `this ${kind}`;
    throw new ForbiddenError(`"${principal.id}" may not ${request.action} ${what}`);
  }

  #recordDenial(request: AccessRequest, decision: Decision, reason: string | undefined): void {
    const { clock, randomBytes, hostId, recorder } = this.#host;
    const at = clock.now();
    recorder.record({
      id: ulid(at, randomBytes),
      version: 1,
      time: iso(at),
      hostId,
      ...(request.workspaceId === undefined ? {} : { workspaceId: request.workspaceId }),
      type: 'request.denied',
      action: request.action,
      scope: request.scope,
      principal: actorOf(request.principal),
      ...(reason === undefined ? {} : { reason }),
      denial: decision.reason,
      policyVersion: decision.policyVersion,
    });
  }
}
