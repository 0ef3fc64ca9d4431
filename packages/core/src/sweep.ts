import type { Agent } from './agent.ts';
import type { Book } from './book.ts';
import type { Change } from './change.ts';
import { StateUnavailableError } from './errors.ts';
import type { StopOrder } from './order.ts';
import { takePages } from './pages.ts';
import type { PageRequest } from './ports/state-store.ts';
import { scopeKey } from './scope.ts';
import { Turns } from './turns.ts';

/** One page of a sweep: the order as it is now, and what became of those of the page whom it may claim. */
export interface Swept {
  readonly order: StopOrder;
  readonly changes: readonly Change[];
}

/**
 * One look through the whole scope of an order that is placed: claims, page by page, whoever is listed, and hands each page on.
 * Ends early when the order has settled.
 *
 * While one page is being claimed the next is on its way already. The order is read after each listing and before the
 * claim. As long as it is neither settled nor released its gate stands, so whoever was listed was there before the gate
 * shut. Afterwards whoever it has not claimed may have been let in since, and is none of its business (I9).
 * @throws StateUnavailableError
 */
export async function sweep(book: Book, order: StopOrder, handOn: (swept: Swept) => void): Promise<void> {
  const { orderId, scope } = order;
  const list = (page: PageRequest) => book.listAgents(scopeKey(scope), page);
  await takePages(book.clock, list, async (agents) => {
    const now = (await book.ask('reading an order', (store) => store.getOrder(orderId))) ?? order;
    const mayClaim = now.released === undefined ? agents : agents.filter((agent) => isUnder(agent, orderId));
    const isOver = now.settledAt !== undefined;
    handOn({ order: now, changes: isOver ? [] : await book.claim(mayClaim, orderId) });
    return isOver ? 'enough' : 'more';
  });
}

/**
 * Claims whoever is in the scope, all of them in the store: a claim in the memory of this host alone would die with it.
 * @throws StateUnavailableError, also if the store has not taken what this host is ahead with.
 */
export async function claimAll(book: Book, order: StopOrder): Promise<void> {
  const ahead = new Set<string>();
  await sweep(book, order, ({ changes }) => {
    for (const { agent } of changes) if (!book.isTold(agent.agentId)) ahead.add(agent.agentId);
  });
  if (ahead.size === 0) return;
  await book.tell();
  const left = [...ahead].filter((agentId) => !book.isTold(agentId));
  if (left.length > 0)
    throw new StateUnavailableError(
      `Not released: the state store has not taken yet what became of ${left.length} agents. Release again`,
    );
}

/** Most agents that a store takes at once. */
const mostClaims = 1_000;

/**
 * Claims this host's own agents in the scope from what it holds in memory: at once, where a sweep first has to list everybody
 * else's too. Whoever was in memory before the order was read, and it was neither settled nor released, had been admitted
 * before its gate shut; see {@link sweep}. `met`: how many agents this host had met before the given order was read; without
 * it, it is read now. Each thousand that is claimed is handed on.
 * @throws StateUnavailableError
 */
export async function claimOwn(
  book: Book,
  given: StopOrder,
  met: number | undefined,
  handOn: (swept: Swept) => void,
): Promise<void> {
  const { orderId, scope } = given;
  const own = book.ownIn(scopeKey(scope), met);
  if (own.length === 0) return;
  const order =
    met === undefined ? await book.ask('reading an order', (store) => store.getOrder(orderId)) : given;
  if (order === undefined || order.settledAt !== undefined || order.released !== undefined) return;
  const turns = new Turns(book.clock);
  for (let at = 0; at < own.length; at += mostClaims) {
    if (at > 0) await turns.give();
    handOn({ order, changes: await book.claim(own.slice(at, at + mostClaims), orderId) });
  }
}

function isUnder(agent: Agent, orderId: string): boolean {
  return 'kill' in agent && agent.kill.orderIds.includes(orderId);
}
