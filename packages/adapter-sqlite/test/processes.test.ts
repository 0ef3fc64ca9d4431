import { join } from 'node:path';
import type { StateStore } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { agentOf, orderOf } from './records.ts';
import { Child, opened, temporaryFolder } from './support.ts';

it('of two processes that claim the same agent, exactly one wins, 1,000 times', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const store = opened(file);
  const children = [new Child('claimer', [file, 'order-a']), new Child('claimer', [file, 'order-b'])];
  for (const child of children) expect(await child.hear()).toBe('ready');
  const wins = [0, 0];
  for (let round = 0; round < 1_000; round += 1) {
    await store.admit(agentOf(`a${round}`));
    const told = round % 2 === 0 ? children : children.toReversed();
    for (const child of told) child.tell(`a${round}`);
    const answers = await Promise.all(children.map((child) => child.hear()));
    expect(answers.toSorted()).toEqual(['lost', 'won']);
    const winner = answers.indexOf('won');
    wins[winner] = (wins[winner] ?? 0) + 1;
    const stored = await store.getAgent(`a${round}`);
    expect(stored).toMatchObject({ revision: 1, kill: { orderIds: [['order-a', 'order-b'][winner]] } });
  }
  expect(Math.min(...wins), 'each process won at times, so they did race').toBeGreaterThan(0);
  console.log(`claims won by either process: ${wins.join(' and ')}`);
});

it('no process admits an agent that a listing begun after the order would miss (I1), 40 times', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const store = opened(file, { busyMs: 10_000 });
  const children = [new Child('admitter', [file, 'a']), new Child('admitter', [file, 'b'])];
  for (const child of children) expect(await child.hear()).toBe('ready');
  let total = 0;
  const waits: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    const workspace = `w${round}`;
    for (const child of children) child.tell(workspace);
    expect(await children[round % 2]?.hear()).toBe('begun');
    const began = performance.now();
    await store.placeOrder(orderOf(`order-${round}`, { workspace }));
    waits.push(performance.now() - began);
    const listed = await listedIn(store, `workspace:${workspace}`);
    const admitted = new Set((await Promise.all(children.map(admittedBy))).flat());
    expect([...admitted].filter((id) => !listed.has(id))).toEqual([]);
    expect(await listedIn(store, `workspace:${workspace}`)).toEqual(listed);
    total += admitted.size;
  }
  waits.sort((a, b) => a - b);
  console.log(`${total} agents admitted in ${waits.length} races with an order, none after it`);
  console.log(
    `an order took ${waits[20]?.toFixed(1)} ms in the middle, ${waits.at(-1)?.toFixed(1)} ms at most`,
  );
});

async function admittedBy(child: Child): Promise<string[]> {
  for (;;) {
    const [word, ...ids] = (await child.hear())?.split(' ').filter(Boolean) ?? ['died'];
    expect(word).toMatch(/^(begun|done)$/);
    if (word === 'done') return ids;
  }
}

async function listedIn(store: StateStore, key: string): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await store.listAgents(key, { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    for (const agent of page.items) ids.add(agent.agentId);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}
