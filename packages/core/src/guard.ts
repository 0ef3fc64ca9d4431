import { decideAccess } from './access.ts';
import { iso } from './audit-event.ts';
import type { Book } from './book.ts';
import { ForbiddenError, UnknownTargetError } from './errors.ts';
import { type RandomBytes, ulid } from './ids.ts';
import type { AccessRequest, Authorizer, Decision } from './ports/authorizer.ts';
import type { Clock } from './ports/clock.ts';
import { actorOf, type Principal } from './principal.ts';
import type { Recorder } from './recorder.ts';
import { belongsTo } from './role-policy.ts';
import { type Scope, scopeKey, scopeKind } from './scope.ts';
import { findTarget, type Target } from './target.ts';

const recordMs = 100;

/** A scope that the principal may kill. */
export interface Demanded {
  readonly target: Target;
  readonly decision: Decision;
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

  /**
   * Looks a scope up, and demands that the principal may kill it. What is not there is asked for, and denied on record, just like
   * what is none of the principal's: not even the time that it takes tells the two apart (I11).
   * @throws UnknownTargetError, ForbiddenError; StateUnavailableError if it cannot be known whether it is there.
   */
  async demandKill(principal: Principal, scope: Scope, reason?: string): Promise<Demanded> {
    const { authorizer, clock, book } = this.#host;
    const { target, unread } = await findTarget(book, principal, scope);
    const { workspaceId, ownerId } = target ?? {};
    const request: AccessRequest = { principal, action: 'kill', scope, workspaceId, ownerId };
    if (target !== undefined && unread !== undefined) {
      const decision = await decideAccess(authorizer, clock, request);
      // No denial: this is what they would be told of anything.
      if (decision.effect === 'deny') throw unread;
      return { target, decision };
    }
    const decision = await this.demand(request, reason);
    if (target === undefined) throw unknown(scope);
    return { target, decision };
  }

  /**
   * Returns the decision if it allows; `reason` is what the principal gave, for the record of a denial.
   * @throws UnknownTargetError for an agent or task that is not there, without a workspace then, or in a workspace that is none of
   *   the principal's (I11); ForbiddenError for any other denial.
   */
  async demand(request: AccessRequest, reason?: string): Promise<Decision> {
    const { authorizer, clock, recorder } = this.#host;
    const decision = await decideAccess(authorizer, clock, request);
    if (decision.effect === 'allow') return decision;
    this.#recordDenial(request, decision, reason);
    await recorder.flush(recordMs);
    const { scope, principal, workspaceId } = request;
    const isForeign = workspaceId === undefined || !belongsTo(principal, workspaceId);
    if (isForeign && ('agent' in scope || 'task' in scope)) throw unknown(scope);
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

/** Wider scopes are never unknown. */
function unknown(scope: Scope): UnknownTargetError {
  if ('agent' in scope) return new UnknownTargetError('agent', scope.agent);
  return new UnknownTargetError('task', 'task' in scope ? scope.task : scopeKey(scope));
}
