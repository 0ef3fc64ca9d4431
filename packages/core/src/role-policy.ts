import { z } from 'zod';
import type { AccessRequest, Authorizer, Decision } from './ports/authorizer.ts';
import type { Grant, Principal } from './principal.ts';
import { scopeKind } from './scope.ts';

const ruleSchema = z.strictObject({
  role: z.enum(['member', 'workspace-admin', 'super-admin']),
  actions: z.array(z.enum(['kill', 'release', 'read', 'admit'])).min(1),
  scopes: z.array(z.enum(['agent', 'task', 'workspace', 'backend', 'host', 'everything'])).min(1),
  /** Only what the principal owns. */
  own: z.boolean().default(false),
});
type Rule = Readonly<z.infer<typeof ruleSchema>>;

/** REQUIREMENTS A1 to A4. What no row allows is denied. */
const rules: readonly Rule[] = Object.freeze(
  z
    .array(ruleSchema)
    .parse([
      { role: 'member', actions: ['kill', 'read'], scopes: ['agent', 'task'], own: true },
      { role: 'member', actions: ['admit'], scopes: ['workspace'] },
      { role: 'workspace-admin', actions: ['kill', 'read'], scopes: ['agent', 'task', 'workspace'] },
      { role: 'workspace-admin', actions: ['admit', 'release'], scopes: ['workspace'] },
      {
        role: 'super-admin',
        actions: ['kill', 'read', 'release', 'admit'],
        scopes: ['agent', 'task', 'workspace', 'backend', 'host', 'everything'],
      },
    ])
    .map((rule) => Object.freeze(rule)),
);

const policyVersion = 'role-policy/1';

/** Decides at once. */
export interface RolePolicy extends Authorizer {
  decide(request: AccessRequest): Decision;
}

/** The built-in policy: a frozen table of roles, default deny, and no release by an agent principal (I9). */
export function rolePolicy(): RolePolicy {
  return { decide };
}

function decide(request: AccessRequest): Decision {
  const { principal, action } = request;
  if (principal.kind === 'agent' && action === 'release') return deny('an agent principal may never release');
  const kind = scopeKind(request.scope);
  for (const rule of rules) {
    if (!rule.actions.includes(action) || !rule.scopes.includes(kind)) continue;
    if (rule.own && request.ownerId !== principal.id) continue;
    if (principal.grants.some((grant) => grant.role === rule.role && covers(grant, request.workspaceId))) {
      return { effect: 'allow', reason: `${rule.role} may ${action} ${kind}`, policyVersion };
    }
  }
  return deny(`no role of the principal may ${action} this ${kind}`);
}

function deny(reason: string): Decision {
  return { effect: 'deny', reason, policyVersion };
}

function covers(grant: Grant, workspaceId: string | undefined): boolean {
  return grant.role === 'super-admin' || grant.workspaceId === workspaceId;
}

/** Whether a principal may know that anything in this workspace exists (I11). */
export function belongsTo(principal: Principal, workspaceId: string): boolean {
  return principal.grants.some((grant) => covers(grant, workspaceId));
}
