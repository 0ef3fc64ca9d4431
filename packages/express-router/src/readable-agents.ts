import {
  type Agent,
  belongsTo,
  type Killswitch,
  type Page,
  type Principal,
  type Scope,
} from '@agent-killswitch/core';
import { agentBody } from './bodies.ts';
import type { HandlerContext } from './http.ts';

/** What the caller may not see is passed over in pages of this size, and so much of it at most in one answer. */
const probeSize = 1_000;
const mostPassedOver = 10_000;
/** So many are judged in one turn of the event loop. */
const judgedAtOnce = 100;

type Listed = ReturnType<typeof agentBody> & { readonly mayKill: boolean };

interface Question {
  readonly scope: Scope;
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly isAsked: (agent: Agent) => boolean;
}

/**
 * The next live agents of a scope that the principal may read; none at all only if there are no more. An empty page with
 * another behind it would tell that there is something in a foreign workspace or task (I11).
 */
export async function readableAgents(
  context: HandlerContext,
  principal: Principal,
  { scope, limit, cursor: begin, isAsked }: Question,
): Promise<{ agents: readonly Listed[]; cursor?: string }> {
  let cursor = begin;
  let size = limit;
  let mayProbe = true;
  for (let passedOver = 0; ; ) {
    const page = await context.ks.list(scope, { limit: size, ...(cursor !== undefined && { cursor }) });
    const agents = await listed(context, page.items.filter(isAsked), principal);
    if (agents.length > limit) {
      // Once more from the same place, in the caller's own steps.
      size = limit;
      mayProbe = false;
      continue;
    }
    if (page.cursor === undefined) return { agents };
    if (agents.length > 0) return { agents, cursor: page.cursor };
    passedOver += page.items.length;
    if (passedOver >= mostPassedOver)
      return isKnown(page, scope, principal) ? { agents, cursor: page.cursor } : { agents };
    cursor = page.cursor;
    if (mayProbe) size = Math.max(limit, probeSize);
  }
}

/** Whether the principal may know that there is something, of which it may see nothing. */
function isKnown({ items }: Page<Agent>, scope: Scope, principal: Principal): boolean {
  const isOfOneWorkspace = 'task' in scope || 'workspace' in scope;
  return !isOfOneWorkspace || items.every(({ workspaceId }) => belongsTo(principal, workspaceId));
}

/** Those that the principal may read: an agent that one may not see is as good as not there (I11). */
async function listed(
  { ks, looks }: HandlerContext,
  agents: readonly Agent[],
  principal: Principal,
): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let begin = 0; begin < agents.length; begin += judgedAtOnce) {
    if (begin > 0) await looks.next(principal.id);
    const some = agents.slice(begin, begin + judgedAtOnce);
    for (const one of await Promise.all(some.map((agent) => seen(ks, agent, principal)))) all.push(...one);
  }
  return all;
}

async function seen(ks: Killswitch, agent: Agent, principal: Principal): Promise<Listed[]> {
  const { agentId, taskId, workspaceId, ownerId } = agent;
  const facts = { principal, workspaceId, ownerId };
  if (!(await ks.may({ ...facts, action: 'read', scope: { agent: agentId } }))) return [];
  const mayKill = await ks.may({ ...facts, action: 'kill', scope: { task: taskId } });
  return [{ ...agentBody(agent), mayKill }];
}
