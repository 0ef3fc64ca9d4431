import { type AccessRequest, type Authorizer, rolePolicy } from '@agent-killswitch/core';
import type { AuthorizerFactory } from '../authorizer.ts';

const sound = rolePolicy();
const allow = { effect: 'allow', reason: 'because', policyVersion: 'role-policy/1' } as const;
const deny = { ...allow, effect: 'deny' } as const;

/** Decides otherwise where `wrong` says so. */
const unless =
  (wrong: (request: AccessRequest) => boolean, answer: typeof allow | typeof deny) => (): Authorizer => ({
    decide: (request) => (wrong(request) ? answer : sound.decide(request)),
  });

/** Per clause an authorizer that breaks it, and no other. */
export const authorizerBugs: Readonly<Record<string, () => Authorizer>> = {
  'what the policy allows is allowed': unless(() => true, deny),
  'a principal without grants may do nothing, not even with its own (default deny)': unless(
    ({ principal, ownerId, action }) =>
      principal.grants.length === 0 && principal.id === ownerId && action === 'kill',
    allow,
  ),
  'no grant reaches into another workspace (I11)': unless(
    ({ principal, action, workspaceId }) =>
      action === 'read' && workspaceId !== undefined && principal.grants.length > 0,
    allow,
  ),
  'an agent principal may release nothing, whatever it is granted (I9)': unless(
    ({ principal, action }) =>
      action === 'release' && principal.grants.some(({ role }) => role === 'super-admin'),
    allow,
  ),
  'a decision has an effect, a reason and a policy version': () => ({
    decide: (request) => ({ ...sound.decide(request), reason: ' ' }),
  }),
  'the policy version stays while the policy does': () => {
    let count = 0;
    return {
      decide(request) {
        count += 1;
        return { ...sound.decide(request), policyVersion: `role-policy/${count}` };
      },
    };
  },
  'the same request is decided the same, whatever was asked between': () => {
    let count = 0;
    return {
      decide(request) {
        count += 1;
        // A quota, for example: after so many requests an administrator is denied reading.
        return request.action === 'read' && count > 125 ? { ...deny } : sound.decide(request);
      },
    };
  },
  'a request is not changed': () => ({
    decide(request) {
      if (!Object.isFrozen(request)) Object.assign(request, { decidedAt: 1 });
      return sound.decide(request);
    },
  }),
  'many requests at once are decided in time': () => {
    let running = 0;
    return {
      async decide(request) {
        running += 1;
        await new Promise((resolve) => setTimeout(resolve, running > 50 ? 400 : 0));
        running -= 1;
        return sound.decide(request);
      },
    };
  },
};

const admin = { id: 'wanda', kind: 'user', grants: [{ role: 'workspace-admin', workspaceId: 'w' }] } as const;
const chief = { id: 'chief', kind: 'service', grants: [{ role: 'super-admin' }] } as const;

/** What the built-in policy allows. */
export const allowedByRoles: readonly AccessRequest[] = [
  {
    principal: { ...admin, grants: [...admin.grants] },
    action: 'kill',
    scope: { task: 't' },
    workspaceId: 'w',
    ownerId: 'else',
  },
  { principal: { ...chief, grants: [...chief.grants] }, action: 'release', scope: { everything: true } },
  {
    principal: { ...chief, kind: 'agent', grants: [...chief.grants] },
    action: 'kill',
    scope: { backend: 'b' },
  },
];

export function authorizerFactory(make: () => Authorizer = rolePolicy): AuthorizerFactory {
  return { open: async () => make(), allowed: allowedByRoles };
}
