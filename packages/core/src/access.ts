import { z } from 'zod';
import { withDeadline } from './deadline.ts';
import { describeError } from './errors.ts';
import { parseInput } from './input.ts';
import type { AccessRequest, Authorizer, Decision } from './ports/authorizer.ts';
import type { Clock } from './ports/clock.ts';
import { principalSchema } from './principal.ts';
import { rolePolicy } from './role-policy.ts';

const decideMs = 250;
const decisionSchema = z.object({
  effect: z.enum(['allow', 'deny']),
  reason: z.string().max(1_000),
  policyVersion: z.string().min(1).max(100),
});

/** What a surface asks. @throws InvalidInputError for a principal that is none, for example with a role that there is not. */
export function accessInput(request: AccessRequest): AccessRequest {
  return { ...request, principal: parseInput('principal', principalSchema, request?.principal) };
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
