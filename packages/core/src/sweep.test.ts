import { describe, expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { Book } from './book.ts';
import { GuardedEvents } from './events.ts';
import { transition } from './lifecycle.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryState } from './memory/memory-state.ts';
import type { StopOrder } from './order.ts';
import type { Clock } from './ports/clock.ts';
import { claimOwn, type Swept, sweep } from './sweep.ts';
import { harness, root } from './testing/harness.ts';
import { patchedStore } from './testing/patched-store.ts';

it('I1, I4: a scope of more than a page is swept to its end, and all of it counted on record', async () => {
  const h = await harness();
  const count = 1_201;
  for (let n = 0; n < count; n++) await h.agent(`a${n}`, { task: 't' });
  const report = await h.during(2_000, h.ks.kill({ task: 't' }, { principal: root, reason: 'drill' }));
  expect(report).toMatchObject({ settled: true, total: count, killed: count });
  expect(h.events('order.settled')).toMatchObject([{ total: count, killed: count }]);
  const left = await h.state.listAgents('task:t', { limit: 1 });
  expect(left.items).toEqual([]);
});

describe('one look through a scope', () => {
  const order: StopOrder = {
    orderId: 'o',
    revision: 0,
    hostId: 'h',
    scope: { everything: true },
    opens: 'at-settle',
    principal: { id: 'ada', kind: 'user' },
    reason: 'drill',
    policyVersion: 'p/1',
    requestedAt: 1,
    killAt: 1,
    forceAt: 2,
    deadlineAt: 3,
  };
  const agent = (agentId: string): Agent => ({
    agentId,
    taskId: 't',
    sessionIds: [],
    workspaceId: 'w',
    ownerId: 'alice',
    backendId: 'b',
    lineage: [],
    hostId: 'h',
    revision: 0,
    handles: [],
    resources: [],
    ledger: [],
    spawnedAt: 1,
    status: 'spawning',
  });

  /** Sweeps a store that lists these pages and holds this order, and says how often the order was read. */
  async function swept(pages: readonly (readonly Agent[])[], stored: StopOrder | undefined) {
    const real = memoryState();
    for (const each of pages.flat()) await real.admit(each);
    let reads = 0;
    const store = patchedStore(real, {
      listAgents: async (_, { cursor }) => {
        const at = Number(cursor ?? 0);
        const items = pages[at] ?? [];
        return at + 1 < pages.length ? { items, cursor: String(at + 1) } : { items };
      },
      getOrder: async () => {
        reads += 1;
        return stored;
      },
    });
    const found: Swept[] = [];
    const book = new Book(store, manualClock(), new GuardedEvents(), 'h', 500);
    await sweep(book, order, (page) => found.push(page));
    const claimed = found.map(({ changes }) => changes.map((change) => change.agent.agentId));
    return { found, claimed, reads };
  }

  it('claims page by page, and reads the order for every page that has somebody on it', async () => {
    const pages = [[agent('a'), agent('b')], [], [agent('c')]];
    const { claimed, reads } = await swept(pages, order);
    expect(claimed).toEqual([['a', 'b'], ['c']]);
    expect(reads).toBe(2);
  });

  it('has the next page on its way while one is claimed, and throws what failed there in its turn', async () => {
    const real = memoryState();
    for (const id of ['a', 'b']) await real.admit(agent(id));
    const calls: string[] = [];
    const store = patchedStore(real, {
      listAgents: async (_, { cursor }) => {
        calls.push(`list ${cursor ?? 'first'}`);
        if (cursor === undefined) return { items: [agent('a')], cursor: 'second' };
        throw new Error('connection lost');
      },
      swapAgents: async (agents) => {
        calls.push(`claim ${agents.map(({ agentId }) => agentId).join()}`);
        return real.swapAgents(agents);
      },
    });
    const book = new Book(store, manualClock(), new GuardedEvents(), 'h', 500);
    const found: Swept[] = [];
    const sweeping = sweep(book, order, (page) => found.push(page));
    await expect(sweeping).rejects.toMatchObject({ code: 'state-unavailable' });
    expect(found).toMatchObject([{ changes: [{ agent: { agentId: 'a' } }] }]);
    expect(calls).toEqual(['list first', 'list second', 'claim a']);
  });

  it('claims this host’s own agents from memory, no more at once than a store takes, and asks nothing where there are none', async () => {
    const real = memoryState();
    const calls: string[] = [];
    const store = patchedStore(real, {
      getOrder: (orderId) => {
        calls.push('read');
        return real.getOrder(orderId);
      },
      swapAgents: (agents) => {
        calls.push(`claim ${agents.length}`);
        return real.swapAgents(agents);
      },
    });
    const book = new Book(store, manualClock(), new GuardedEvents(), 'h', 500);
    await claimOwn(book, order, undefined, () => calls.push('none'));
    expect(calls).toEqual([]);
    for (let n = 0; n < 2_000; n++) {
      await real.admit(agent(`a${n}`));
      book.note(agent(`a${n}`));
    }
    await real.placeOrder(order);
    await claimOwn(book, order, undefined, ({ changes }) => calls.push(`claimed ${changes.length}`));
    expect(calls).toEqual(['read', 'claim 1000', 'claimed 1000', 'claim 1000', 'claimed 1000']);
  });

  it('gives others their turn between the claims of very many of its own', async () => {
    const real = memoryState();
    let now = 1;
    const calls: string[] = [];
    // Every look at it takes 50 ms.
    const clock: Clock = {
      now: () => {
        now += 50;
        return now;
      },
      setTimer: (ms, fire) => {
        if (ms === 0) {
          calls.push('turn');
          queueMicrotask(fire);
        }
        return () => undefined;
      },
    };
    const store = patchedStore(real, {
      swapAgents: (agents) => {
        calls.push('claim');
        return real.swapAgents(agents);
      },
    });
    const book = new Book(store, clock, new GuardedEvents(), 'h', 500);
    for (let n = 0; n < 3_000; n++) {
      await real.admit(agent(`a${n}`));
      book.note(agent(`a${n}`));
    }
    await claimOwn(book, order, book.met, () => undefined);
    expect(calls).toEqual(['claim', 'turn', 'claim', 'claim']);
  });

  it('claims at once those who were met before the order was read, and nobody if it was released by then', async () => {
    const real = memoryState();
    const book = new Book(real, manualClock(), new GuardedEvents(), 'h', 500);
    for (const id of ['a', 'b']) await real.admit(agent(id));
    book.note(agent('a'));
    const { met } = book;
    book.note(agent('b'));
    await real.placeOrder(order);
    const claimed: string[] = [];
    const released = { releaseId: 'r', at: 1, approvedBy: [] };
    for (const known of [{ ...order, released }, { ...order, settledAt: 9 }, order])
      await claimOwn(book, known, met, ({ changes }) =>
        claimed.push(...changes.map(({ agent: { agentId } }) => agentId)),
      );
    expect(claimed).toEqual(['a']);
  });

  it('I9: once the order is released claims nobody new, and goes on with those that it has claimed', async () => {
    const [claimed] = transition(agent('a'), { type: 'claim', at: 2, orderId: 'o' });
    const [others] = transition(agent('b'), { type: 'claim', at: 2, orderId: 'another' });
    const released = { ...order, released: { releaseId: 'r', at: 1, approvedBy: [] } };
    const { found } = await swept([[claimed, others, agent('c')]], released);
    expect(found.map(({ changes }) => changes.map((change) => change.agent.agentId))).toEqual([['a']]);
  });

  it('goes by the order as it was given where the store holds none', async () => {
    const { found, claimed } = await swept([[agent('a')]], undefined);
    expect([found[0]?.order, claimed]).toEqual([order, [['a']]]);
  });

  it('claims nobody and ends when the order has settled', async () => {
    const settled = { ...order, revision: 1, settledAt: 9 };
    const { found } = await swept([[agent('a')], [agent('b')]], settled);
    expect(found).toEqual([{ order: settled, changes: [] }]);
  });
});
