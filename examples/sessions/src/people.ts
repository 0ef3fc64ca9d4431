import type { Principal } from '@agent-killswitch/core';
import type { Request } from 'express';

const workspaceId = 'acme';
const people: Readonly<Record<string, Principal>> = {
  mia: { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId }] },
  tom: { id: 'tom', kind: 'user', grants: [{ role: 'member', workspaceId }] },
  admin: { id: 'admin', kind: 'user', grants: [{ role: 'workspace-admin', workspaceId }] },
};

/** Whoever the token names. A real service has real tokens: never take who asks from anywhere but its authentication. */
export function personOf(request: Request): Principal | undefined {
  const token = /^Bearer (\w+)$/.exec(request.get('authorization') ?? '')?.[1];
  return token !== undefined && Object.hasOwn(people, token) ? people[token] : undefined;
}
