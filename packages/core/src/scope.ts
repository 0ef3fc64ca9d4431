import { z } from 'zod';
import { idSchema } from './identifiers.ts';

/**
 * What a stop order is aimed at; exactly one of its keys is given. An `agent` scope holds the agent and every
 * descendant of it.
 */
export const scopeSchema = z.union(
  [
    z.strictObject({ agent: idSchema }),
    z.strictObject({ task: idSchema }),
    z.strictObject({ workspace: idSchema }),
    z.strictObject({ backend: idSchema }),
    /** What a host has admitted, wherever it runs. */
    z.strictObject({ host: idSchema }),
    z.strictObject({ everything: z.literal(true) }),
  ],
  'must have exactly one of agent, task, workspace, backend, host and everything',
);
export type Scope = z.infer<typeof scopeSchema>;
export type ScopeKind = 'agent' | 'task' | 'workspace' | 'backend' | 'host' | 'everything';

/** A scope as one string, `task:42` or `everything`: what stores index agents, gates and open orders by. */
export type ScopeKey = string;

/** The ids that decide which scopes an agent is in. */
export interface ScopeMember {
  readonly agentId: string;
  readonly taskId: string;
  readonly workspaceId: string;
  readonly backendId: string;
  readonly hostId: string;
  /** Ids of its ancestors, nearest first. */
  readonly lineage: readonly string[];
}

export function scopeKind(scope: Scope): ScopeKind {
  if ('agent' in scope) return 'agent';
  if ('task' in scope) return 'task';
  if ('workspace' in scope) return 'workspace';
  if ('backend' in scope) return 'backend';
  if ('host' in scope) return 'host';
  return 'everything';
}

export function scopeKey(scope: Scope): ScopeKey {
  if ('agent' in scope) return `agent:${scope.agent}`;
  if ('task' in scope) return `task:${scope.task}`;
  if ('workspace' in scope) return `workspace:${scope.workspace}`;
  if ('backend' in scope) return `backend:${scope.backend}`;
  if ('host' in scope) return `host:${scope.host}`;
  return 'everything';
}

/** What stores list agents by: a scope, or `cleanup:` with a host's id. */
export type ListKey = string;

/** Every scope that holds this agent, widest first. A gate on any of them bars it; a stop order on any of them hits it. */
export function scopeKeysOf(member: ScopeMember): ScopeKey[] {
  return [
    'everything',
    `backend:${member.backendId}`,
    `host:${member.hostId}`,
    `workspace:${member.workspaceId}`,
    `task:${member.taskId}`,
    `agent:${member.agentId}`,
    ...member.lineage.map((ancestor) => `agent:${ancestor}`),
  ];
}
