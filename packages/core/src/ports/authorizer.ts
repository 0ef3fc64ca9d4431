import type { Principal } from '../principal.ts';
import type { Scope } from '../scope.ts';

/** `admit` and `read` are for surfaces such as an HTTP API; the core itself asks for `kill` and `release`. */
export type Action = 'kill' | 'release' | 'read' | 'admit';

export interface AccessRequest {
  readonly principal: Principal;
  readonly action: Action;
  readonly scope: Scope;
  /** The workspace the target lives in; absent for `backend` and `everything`, and for an agent or task that is not there. */
  readonly workspaceId?: string | undefined;
  /** Who owns the target task or agent; absent for wider scopes. */
  readonly ownerId?: string | undefined;
}

export interface Decision {
  readonly effect: 'allow' | 'deny';
  /** Why, in words for the record. */
  readonly reason: string;
  /** Which version of the policy decided. */
  readonly policyVersion: string;
}

/**
 * Decides who may do what; default deny. Bounded by the core to 250 ms. If it throws, hangs or answers nonsense, a kill
 * is decided by the built-in role policy and everything else is refused.
 */
export interface Authorizer {
  decide(request: AccessRequest): Decision | Promise<Decision>;
}
