import { z } from 'zod';
import { withDeadline } from './deadline.ts';
import { describeError } from './errors.ts';
import { idSchema, reasonSchema } from './identifiers.ts';
import { parseInput } from './input.ts';
import type { AccessRequest, Authorizer, Decision } from './ports/authorizer.ts';
import type { Clock } from './ports/clock.ts';
import { principalSchema } from './principal.ts';
import { rolePolicy } from './role-policy.ts';
import { scopeSchema } from './scope.ts';

const decideMs = 250;
const decisionSchema = z.object({
  effect: z.enum(['allow', 'deny']),
  reason: z.string().max(1_000),
  policyVersion: z.string().min(1).max(100),
});

const questionSchema = z.object({
  principal: z.unknown(),
  action: z.enum(['kill', 'release', 'read', 'admit']),
  scope: scopeSchema,
  workspaceId: idSchema.optional(),
  ownerId: idSchema.optional(),
});

/** What a surface asks. @throws InvalidInputError for what cannot be asked, for example of a principal with a role that there is not. */
export function accessInput(request: AccessRequest): AccessRequest {
  const question = parseInput('request', questionSchema, request);
  return { ...question, principal: parseInput('principal', principalSchema, question.principal) };
}

/** Why it is asked for, if anybody says so; on record with a denial. @throws InvalidInputError */
export function accessReason(reason: unknown): string | undefined {
  return parseInput('reason', reasonSchema.optional(), reason);
}

/**
 * Asks the configured authorizer, for at most 250 ms. If it gives no decision, a kill is decided by the built-in role
 * policy, so that a broken policy engine can never stop a stop, and everything else is refused. That an agent principal
 * never releases is not the authorizer's to decide (I9).
 */
export async function decideAccess(
  authorizer: Authorizer,
  clock: Clock,
  request: AccessRequest,
): Promise<Decision> {
  if (request.action === 'release' && request.principal.kind === 'agent')
    return { effect: 'deny', reason: 'an agent principal may never release', policyVersion: 'built-in' };
  try {
    return decisionSchema.parse(
      await withDeadline(clock, 'the authorizer', decideMs, () => authorizer.decide(request)),
    );
  } catch (error) {
    const why = `the authorizer gave no decision (${describeError(error)})`;
    if (request.action !== 'kill') return { effect: 'deny', reason: why, policyVersion: 'none' };
    const decision = rolePolicy().decide(request);
    return { ...decision, reason: `${decision.reason}; ${why}` };
  }
}
