import { describe, expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { Book } from './book.ts';
import { GuardedEvents } from './events.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryState } from './memory/memory-state.ts';
import type { StateStore } from './ports/state-store.ts';

const handle = { runtime: 'memory', id: 1 };
const newAgent: Agent = {
  agentId: 'a1',
  taskId: 't',
  sessionIds: [],
  workspaceId: 'w',
  ownerId: 'o',
  backendId: 'b',
  lineage: [],
  hostId: 'h',
  revision: 0,
  handles: [],
  resources: [],
  ledger: [],
  spawnedAt: 1,
  status: 'spawning',
};
const confirmed = {
  type: 'confirmed',
  at: 5,
  progress: { errors: [] },
  evidence: 'gone',
  handles: 1,
} as const;

/** A book over a store that can be cut off, with one agent that it has noted. */
async function cutOff() {
  const real = memoryState();
  const link = { isDown: false, swapping: undefined as (() => Promise<void>) | undefined };
  const store: StateStore = new Proxy(real, {
    get: (target, name: keyof StateStore) => {
      const call = (target[name] as (...args: unknown[]) => Promise<unknown>).bind(target);
      return async (...args: unknown[]) => {
        if (link.isDown) throw new Error('connection refused');
        if (name === 'swapAgents') await link.swapping?.();
        return call(...args);
      };
    },
  });
  const events = new GuardedEvents();
  const book = new Book(store, manualClock(), events, 'h', 500);
  await real.admit(newAgent);
  book.note(newAgent);
  return { real, link, book };
}

describe('what was done while the store was down', () => {
  it('is told in order, and what is done meanwhile is told too', async () => {
    const { real, link, book } = await cutOff();
    link.isDown = true;
    await book.change('a1', { type: 'running', at: 2, handles: [handle] });
    link.isDown = false;
    link.swapping = async () => {
      link.swapping = undefined;
      await book.change('a1', { type: 'completed', at: 3 });
    };
    await Promise.all([book.tell(), book.tell()]);
    expect(await real.getAgent('a1')).toMatchObject({ status: 'completed', revision: 2, handles: [handle] });
    expect(book.untold).toBe(0);
  });

  it('I2: is not undone here by what the store is being told: what has ended cannot be claimed again', async () => {
    const { real, link, book } = await cutOff();
    link.isDown = true;
    await book.change('a1', { type: 'running', at: 2, handles: [handle] });
    await book.change('a1', { type: 'completed', at: 3 });
    link.isDown = false;
    let swaps = 0;
    link.swapping = async () => {
      if (++swaps === 2) expect(book.claimHere('everything', 'o1')).toEqual([]);
    };
    await book.tell();
    expect(swaps).toBe(2);
    expect(await real.getAgent('a1')).toMatchObject({ status: 'completed' });
  });

  it('I2: its revisions mean nothing to the store: no copy made here is taken for one that was stored', async () => {
    const { real, link, book } = await cutOff();
    link.isDown = true;
    await book.change('a1', { type: 'running', at: 2, handles: [handle] });
    const [claim] = book.claimHere('everything', 'o1');
    link.isDown = false;
    const ended = { ...newAgent, status: 'completed', revision: 2, completedAt: 4 } as const;
    link.swapping = async () => {
      link.swapping = undefined;
      await real.swapAgents([{ ...newAgent, status: 'running', revision: 1 }]);
      await real.swapAgents([ended]);
    };
    await book.tell();
    expect(await real.getAgent('a1')).toEqual(ended);
    expect(claim!.agent).toMatchObject({ status: 'killing', revision: 2 });
    await expect(book.change(claim!.agent, confirmed)).rejects.toMatchObject({ code: 'invalid-transition' });
    expect(await real.getAgent('a1')).toEqual(ended);
  });

  it('under an order that the store does not hold, is told once it holds that or the one it joined', async () => {
    const { real, link, book } = await cutOff();
    link.isDown = true;
    book.holdClaims('o1');
    await book.change('a1', { type: 'running', at: 2, handles: [handle] });
    book.claimHere('everything', 'o1');
    link.isDown = false;
    await book.tell();
    expect(await real.getAgent('a1')).toMatchObject({ status: 'running' });
    expect(book.untold).toBe(1);
    book.releaseClaims('o1', 'o2');
    await book.tell();
    expect(await real.getAgent('a1')).toMatchObject({ status: 'killing', kill: { orderIds: ['o2'] } });
    expect(book.isTold('a1')).toBe(true);
  });
});

it('I6: a read that is out of date does not take away the handles that a kill without the store needs', async () => {
  const book = new Book(memoryState(), manualClock(), new GuardedEvents(), 'h', 500);
  book.note({ ...newAgent, revision: 1, status: 'running', handles: [handle], startedAt: 2 });
  book.note(newAgent);
  expect(book.claimHere('task:t', 'o1')).toMatchObject([{ agent: { status: 'killing', handles: [handle] } }]);
});

describe('many changes at once', () => {
  /** A store with 250 agents of which this book has an old copy, and what it is asked for. */
  async function outdated() {
    const real = memoryState();
    const calls: string[] = [];
    let atOnce = 0;
    let most = 0;
    const store: StateStore = new Proxy(real, {
      get: (target, name: keyof StateStore) => {
        const call = (target[name] as (...args: unknown[]) => Promise<unknown>).bind(target);
        return async (...args: unknown[]) => {
          calls.push(name);
          most = Math.max(most, ++atOnce);
          await undefined;
          atOnce -= 1;
          return call(...args);
        };
      },
    });
    const book = new Book(store, manualClock(), new GuardedEvents(), 'h', 500);
    const agents = Array.from({ length: 250 }, (_, n): Agent => ({ ...newAgent, agentId: `a${n}` }));
    for (const agent of agents) await real.admit(agent);
    await real.swapAgents(
      agents.map((agent) => ({ ...agent, status: 'running', revision: 1, handles: [handle], startedAt: 2 })),
    );
    return { real, book, agents, calls, most: () => most };
  }

  it('those that are lost to a race are read side by side, a hundred at a time, and stored together', async () => {
    const { real, book, agents, calls, most } = await outdated();
    const changes = await book.claim(agents, 'o1');
    expect(changes.map(({ agent }) => agent.agentId)).toEqual(agents.map(({ agentId }) => agentId));
    for (const { agent } of changes) {
      expect(agent).toMatchObject({ status: 'killing', revision: 2, handles: [handle] });
      expect(await real.getAgent(agent.agentId)).toEqual(agent);
    }
    expect(calls.filter((name) => name === 'getAgent')).toHaveLength(250);
    expect(calls.filter((name) => name === 'swapAgents')).toHaveLength(4);
    expect(most()).toBe(100);
  });

  it('what fits nobody any more rejects, and what was stored of the others stays', async () => {
    const { real, book, agents } = await outdated();
    const wanted = agents.slice(0, 3).map((agent) => ({ agent, event: { ...confirmed, handles: 1 } }));
    await expect(book.changeAll(wanted)).rejects.toMatchObject({ code: 'invalid-transition' });
    expect(await real.getAgent('a0')).toMatchObject({ status: 'running' });
  });
});
