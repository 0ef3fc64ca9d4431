import type { Agent, KillRecord } from './agent.ts';
import type { Book } from './book.ts';
import { describeError, isKillswitchError } from './errors.ts';
import { type KillOutcome, type OrderReport, outcomeOf, type StopOrder } from './order.ts';
import { pagesOf } from './pages.ts';
import { asPage } from './store-answers.ts';

const maxErrors = 100;

export type KilledOrKilling = Agent & { readonly kill: KillRecord };

/** Every agent whose kill record names this order, page by page. @throws StateUnavailableError. */
export function membersOf(book: Book, orderId: string): AsyncGenerator<readonly KilledOrKilling[]> {
  return pagesOf(book.clock, async (request) => {
    const page = await book.ask('listing an order', (store) => store.listOrder(orderId, request), asPage);
    return { ...page, items: page.items.filter((agent) => 'kill' in agent) };
  });
}

/**
 * Adds an order's agents as they are stored to those that are known here. What is pursued here is better known here than in
 * the store, until it is dead. Returns why not all could be read, if so.
 */
export async function addMembers(
  agents: Map<string, Agent>,
  book: Book,
  orderId: string,
): Promise<string | undefined> {
  try {
    for await (const page of membersOf(book, orderId)) {
      for (const agent of page) {
        if (agent.status === 'killed' || !agents.has(agent.agentId)) agents.set(agent.agentId, agent);
      }
    }
    return undefined;
  } catch (error) {
    if (!isKillswitchError(error, 'state-unavailable')) throw error;
    return describeError(error);
  }
}

export interface ReportFacts {
  /** Why not every agent in scope could be looked at. */
  readonly blind?: string | undefined;
  /** Whether the state store holds the order. Default `true`. */
  readonly isStored?: boolean;
  /** What lives although its record is closed, one sentence each: another host, which knows of none, may have settled the order. */
  readonly late?: readonly string[];
}

/** The report of an order from its agents. `now`: milliseconds since the Unix epoch. */
export function reportOf(
  order: StopOrder,
  agents: Iterable<Agent>,
  now: number,
  { blind, isStored = true, late = [] }: ReportFacts = {},
): OrderReport {
  const outcomes: KillOutcome[] = [];
  const errors: string[] = [];
  const note = (error: string): void => {
    if (errors.length < maxErrors) errors.push(error);
  };
  if (!isStored) note('The stop is not stored yet: it holds only as long as this process lives');
  if (blind !== undefined) note(`Not every agent in scope could be looked at: ${blind}`);
  for (const each of late) note(each);
  for (const agent of agents) {
    if (!('kill' in agent)) continue;
    const outcome = outcomeOf(agent, now >= order.deadlineAt);
    outcomes.push(outcome);
    if (outcome.outcome === 'unconfirmed')
      note(`Agent "${agent.agentId}" is not confirmed dead: ${outcome.evidence ?? 'nothing observed'}`);
    for (const entry of agent.ledger) {
      if (entry.status === 'failed')
        note(`Agent "${agent.agentId}": cleanup step ${entry.step} failed: ${entry.error ?? ''}`);
    }
  }
  const count = (outcome: KillOutcome['outcome']): number =>
    outcomes.filter((each) => each.outcome === outcome).length;
  // Who goes by that word alone would take somebody for dead who is known to live (I1).
  const settledAt = late.length > 0 ? undefined : order.settledAt;
  return {
    orderId: order.orderId,
    scope: { ...order.scope },
    reason: order.reason,
    stored: isStored,
    settled: settledAt !== undefined,
    requestedAt: order.requestedAt,
    deadlineAt: order.deadlineAt,
    ...(settledAt === undefined ? {} : { settledAt }),
    total: outcomes.length,
    killed: count('confirmed'),
    failed: count('unconfirmed'),
    outcomes,
    errors,
  };
}
