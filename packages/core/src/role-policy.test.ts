import { describe, expect, it } from 'vitest';
import type { AccessRequest, Action } from './ports/authorizer.ts';
import type { Grant, Principal } from './principal.ts';
import { belongsTo, rolePolicy } from './role-policy.ts';
import type { Scope } from './scope.ts';

const grants: Record<string, Grant[]> = {
  nobody: [],
  member: [{ role: 'member', workspaceId: 'w' }],
  'foreign member': [{ role: 'member', workspaceId: 'v' }],
  admin: [{ role: 'workspace-admin', workspaceId: 'w' }],
  'foreign admin': [{ role: 'workspace-admin', workspaceId: 'v' }],
  'super admin': [{ role: 'super-admin' }],
};
const targets: Record<string, { scope: Scope; workspaceId?: string; ownerId?: string }> = {
  'own agent': { scope: { agent: 'a' }, workspaceId: 'w', ownerId: 'me' },
  'own task': { scope: { task: 't' }, workspaceId: 'w', ownerId: 'me' },
  "another's task": { scope: { task: 't' }, workspaceId: 'w', ownerId: 'you' },
  workspace: { scope: { workspace: 'w' }, workspaceId: 'w' },
  backend: { scope: { backend: 'b' } },
  everything: { scope: { everything: true } },
};
const all = Object.keys(targets);

/** Everything that is allowed; the rest of the matrix is denied. */
const allowed: Record<Action, Record<string, string[]>> = {
  kill: {
    member: ['own agent', 'own task'],
    admin: ['own agent', 'own task', "another's task", 'workspace'],
    'super admin': all,
  },
  read: {
    member: ['own agent', 'own task'],
    admin: ['own agent', 'own task', "another's task", 'workspace'],
    'super admin': all,
  },
  release: { admin: ['workspace'], 'super admin': all },
  admit: { member: ['workspace'], admin: ['workspace'], 'super admin': all },
};

describe('role policy (A1–A4), default deny', () => {
  for (const action of Object.keys(allowed) as Action[]) {
    for (const who of Object.keys(grants)) {
      for (const [what, target] of Object.entries(targets)) {
        const effect = allowed[action][who]?.includes(what) ? 'allow' : 'deny';
        it(`${effect === 'allow' ? 'lets' : 'does not let'} ${who} ${action} ${what}`, () => {
          for (const kind of ['user', 'service'] as const) {
            const principal: Principal = { id: 'me', kind, grants: grants[who] ?? [] };
            expect(rolePolicy().decide({ principal, action, ...target })).toMatchObject({
              effect,
              policyVersion: 'role-policy/1',
              reason: expect.any(String),
            });
          }
        });
      }
    }
  }

  it('I9: never lets an agent principal release', () => {
    const principal: Principal = { id: 'me', kind: 'agent', grants: [{ role: 'super-admin' }] };
    for (const target of Object.values(targets)) {
      expect(rolePolicy().decide({ principal, action: 'release', ...target }).effect).toBe('deny');
      expect(rolePolicy().decide({ principal, action: 'kill', ...target }).effect).toBe('allow');
    }
  });

  it('says why, in words for the record', () => {
    const admin = { id: 'me', kind: 'user' as const, grants: [{ role: 'super-admin' as const }] };
    const everything = { scope: { everything: true as const }, action: 'release' as const };
    const why = (principal: Principal) => rolePolicy().decide({ principal, ...everything }).reason;
    expect(why(admin)).toBe('super-admin may release everything');
    expect(why({ ...admin, kind: 'agent' })).toBe('an agent principal may never release');
    expect(why({ ...admin, grants: [] })).toBe('no role of the principal may release this everything');
  });

  it('I11: knows by one of several grants what a principal belongs to', () => {
    const grants = ['w1', 'w2'].map((workspaceId) => ({ role: 'member' as const, workspaceId }));
    const principal: Principal = { id: 'me', kind: 'user', grants };
    expect(['w1', 'w2', 'w3'].map((workspaceId) => belongsTo(principal, workspaceId))).toEqual([
      true,
      true,
      false,
    ]);
    expect(belongsTo({ ...principal, grants: [] }, 'w1')).toBe(false);
  });

  it('denies what it does not know', () => {
    const principal: Principal = { id: 'me', kind: 'user', grants: [{ role: 'super-admin' }] };
    expect(
      rolePolicy().decide({
        principal,
        action: 'launch',
        scope: { everything: true },
      } as unknown as AccessRequest).effect,
    ).toBe('deny');
  });
});
