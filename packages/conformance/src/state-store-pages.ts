import type { Agent, Page, PageRequest, ScopeKey, StateStore } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';

const mostPages = 2_000;

/** Every item of a paged listing; `between` runs after each page. */
export async function everyItem(
  list: (page: PageRequest) => Promise<Page<Agent>>,
  limit: number,
  between: (items: readonly Agent[], page: number) => Promise<void> = async () => {},
): Promise<Agent[]> {
  const items: Agent[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await list({ limit, ...(cursor === undefined ? {} : { cursor }) });
    expectThat(
      answer.items.length <= limit,
      `a page holds at most ${limit} items, not ${answer.items.length}`,
    );
    items.push(...answer.items);
    cursor = answer.cursor;
    if (cursor === undefined) return items;
    await between(answer.items, page);
  }
  expectThat(false, `a listing ends within ${mostPages} pages`);
}

export async function inScope(store: StateStore, key: ScopeKey, limit = 100): Promise<Agent[]> {
  return everyItem((page) => store.listAgents(key, page), limit);
}

export async function inOrder(store: StateStore, orderId: string, limit = 100): Promise<Agent[]> {
  return everyItem((page) => store.listOrder(orderId, page), limit);
}

/** Expects exactly these agents, each once, in any order. */
export function expectIds(actual: readonly Agent[], expected: readonly string[], what: string): void {
  const ids = actual.map((agent) => agent.agentId).sort();
  const wanted = [...expected].sort();
  expectThat(
    ids.join(' ') === wanted.join(' '),
    `${what} holds [${wanted.join(' ')}], not [${ids.join(' ')}]`,
  );
}
