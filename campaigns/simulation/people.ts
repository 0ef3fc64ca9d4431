import type { Principal, Scope } from '@agent-killswitch/core';

const member = (id: string, workspaceId: string): Principal => ({
  id,
  kind: 'user',
  grants: [{ role: 'member', workspaceId }],
});

export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

/** Everybody who asks for anything. */
export const people: readonly Principal[] = [
  member('alice', 'w1'),
  member('bob', 'w1'),
  member('zed', 'w2'),
  { id: 'adam', kind: 'user', grants: [{ role: 'workspace-admin', workspaceId: 'w1' }] },
  { id: 'zoe', kind: 'user', grants: [{ role: 'workspace-admin', workspaceId: 'w2' }] },
  root,
  { id: 'rita', kind: 'user', grants: [{ role: 'super-admin' }] },
  { id: 'bot', kind: 'agent', grants: [{ role: 'super-admin' }] },
  { id: 'carl', kind: 'service', grants: [] },
];

/** Where a task lives: fixed, so that nobody has to be asked. */
export interface TaskPlace {
  readonly taskId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
}

export const tasks: readonly TaskPlace[] = [
  { taskId: 't1', workspaceId: 'w1', ownerId: 'alice' },
  { taskId: 't2', workspaceId: 'w1', ownerId: 'alice' },
  { taskId: 't3', workspaceId: 'w1', ownerId: 'bob' },
  { taskId: 't4', workspaceId: 'w1', ownerId: 'bob' },
  { taskId: 't5', workspaceId: 'w2', ownerId: 'zed' },
  { taskId: 't6', workspaceId: 'w2', ownerId: 'zed' },
];

export const workspaces = ['w1', 'w2'] as const;
export const backends = ['local', 'gpu'] as const;

/** Who an agent is, as far as scopes go. */
export interface Member {
  readonly agentId: string;
  readonly taskId: string;
  readonly workspaceId: string;
  readonly backendId: string;
  readonly hostId: string;
  readonly lineage: readonly string[];
}

/** The simulation's own notion of a scope, so that a mistake in the library's does not excuse itself. */
export function inScope(scope: Scope, agent: Member): boolean {
  if ('agent' in scope) return agent.agentId === scope.agent || agent.lineage.includes(scope.agent);
  if ('task' in scope) return agent.taskId === scope.task;
  if ('workspace' in scope) return agent.workspaceId === scope.workspace;
  if ('backend' in scope) return agent.backendId === scope.backend;
  if ('host' in scope) return agent.hostId === scope.host;
  return true;
}

/** The simulation's own reading of REQUIREMENTS A1 to A4: whether this principal may stop this. */
export function mayStop(id: string, scope: Scope, workspaceId?: string, ownerId?: string): boolean {
  const grants = people.find((principal) => principal.id === id)?.grants ?? [];
  return grants.some((grant) => {
    if (grant.role === 'super-admin') return true;
    if ('backend' in scope || 'host' in scope || 'everything' in scope || grant.workspaceId !== workspaceId)
      return false;
    return grant.role === 'workspace-admin' || (!('workspace' in scope) && ownerId === id);
  });
}

/** The simulation's own reading of I9: whether this principal may open what was stopped here. */
export function mayRelease(id: string, scope: Scope): boolean {
  const principal = people.find((each) => each.id === id);
  if (principal === undefined || principal.kind === 'agent') return false;
  return principal.grants.some(
    (grant) =>
      grant.role === 'super-admin' ||
      ('workspace' in scope && grant.role === 'workspace-admin' && grant.workspaceId === scope.workspace),
  );
}
