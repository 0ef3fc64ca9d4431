import type { Agent } from './agent.ts';
import type { Book } from './book.ts';
import type { Principal } from './principal.ts';
import { belongsTo } from './role-policy.ts';
import { type Scope, scopeKey } from './scope.ts';

/** What authority over a scope depends on. */
export interface Target {
  readonly workspaceId?: string;
  readonly ownerId?: string;
  /** The scoped agent, for an `agent` scope. */
  readonly agent?: Agent;
}

/** What a principal finds who asks for a scope. */
interface Found {
  /** Absent if it is not there. */
  readonly target?: Target | undefined;
  /** The store could not say so, this host alone knows of it, and the principal has no part in its workspace. */
  readonly unread?: unknown;
}

/**
 * Looks a scope up. An agent of this host is known without the store; but whoever has no part in its workspace waits for the store
 * as they would for what is not there (I11).
 * @throws StateUnavailableError if it cannot be known whether it is there.
 */
export async function findTarget(book: Book, principal: Principal, scope: Scope): Promise<Found> {
  if ('workspace' in scope) return { target: { workspaceId: scope.workspace } };
  if (!('agent' in scope || 'task' in scope)) return { target: {} };
  const isTheirs = (own: Agent): boolean => belongsTo(principal, own.workspaceId);
  // What a task is bound to never changes, while the store may know of an agent what this host does not.
  const known = 'task' in scope ? ownIn(book, scope) : undefined;
  if (known !== undefined && isTheirs(known)) return { target: targetOf(scope, known) };
  try {
    const found = await ('agent' in scope
      ? book.ask('reading an agent', (store) => store.getAgent(scope.agent))
      : book.ask('reading a task', (store) => store.getTask(scope.task)));
    return { target: found && targetOf(scope, found) };
  } catch (unread) {
    const own = ownIn(book, scope);
    if (own === undefined) throw unread;
    return { target: targetOf(scope, own), ...(isTheirs(own) ? {} : { unread }) };
  }
}

/** From memory: the agent itself, or one of the task. */
function ownIn(book: Book, scope: Scope): Agent | undefined {
  return 'agent' in scope ? book.own(scope.agent) : book.ownIn(scopeKey(scope))[0];
}

function targetOf(scope: Scope, found: Agent | Pick<Agent, 'workspaceId' | 'ownerId'>): Target {
  const { workspaceId, ownerId } = found;
  return { workspaceId, ownerId, ...('agent' in scope && { agent: found as Agent }) };
}
