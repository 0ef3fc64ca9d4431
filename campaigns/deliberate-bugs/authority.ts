import type { DeliberateBug } from './deliberate-bug.ts';

export const authority: readonly DeliberateBug[] = [
  {
    name: 'an agent releases a stop',
    invariant: 'I9',
    noticedBy: 'core/src/role-policy.test.ts',
    edits: [
      {
        file: 'role-policy.ts',
        from: "  if (principal.kind === 'agent' && action === 'release') return deny('an agent principal may never release');\n",
        to: '',
      },
    ],
  },
  {
    name: 'a foreign agent is told from one that is not there',
    invariant: 'I11',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'guard.ts',
        from: 'const isForeign = workspaceId === undefined || !belongsTo(principal, workspaceId);',
        to: 'const isForeign = workspaceId === undefined;',
      },
    ],
  },
  {
    name: 'a grant in one workspace covers every other',
    invariant: 'I11',
    noticedBy: 'core/src/role-policy.test.ts',
    edits: [
      {
        file: 'role-policy.ts',
        from: "return grant.role === 'super-admin' || grant.workspaceId === workspaceId;",
        to: "return grant.role === 'super-admin' || workspaceId !== undefined;",
      },
    ],
  },
  {
    name: 'a policy engine that fails stops the stop',
    invariant: 'I5',
    noticedBy: 'core/src/killswitch.test.ts',
    edits: [
      {
        file: 'access.ts',
        from: "if (request.action !== 'kill') return",
        to: "if (request.action !== 'never') return",
      },
    ],
  },
  {
    name: 'a child lives in another workspace than its parent',
    invariant: 'I11',
    noticedBy: 'core/src/admissions.test.ts',
    edits: [
      {
        file: 'admissions.ts',
        from: 'if (parent?.workspaceId !== workspaceId || parent.ownerId !== ownerId)',
        to: 'if (parent === undefined)',
      },
    ],
  },
];
