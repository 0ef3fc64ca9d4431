import { expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import { Book } from './book.ts';
import { GuardedEvents } from './events.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import { Pursuit } from './pursuit.ts';

it('I1: handles that come with a copy of no higher revision are a way to the agent all the same', async () => {
  const clock = manualClock();
  const state = memoryState();
  const memory = memoryRuntime();
  const kill = { orderIds: ['o1'], statusBefore: 'spawning', requestedAt: 1, errors: [] } as const;
  const agent: Agent = {
    agentId: 'a1',
    taskId: 't',
    sessionIds: [],
    workspaceId: 'w',
    ownerId: 'o',
    backendId: 'b',
    lineage: [],
    hostId: 'h',
    revision: 3,
    handles: [],
    resources: [],
    ledger: [],
    spawnedAt: clock.now(),
    status: 'killing',
    kill: { ...kill, orderIds: ['o1'], errors: [] },
  };
  const book = new Book(state, clock, new GuardedEvents(), 'h', 500);
  const took: string[] = [];
  const pursuit = new Pursuit(
    {
      hostId: 'h',
      clock,
      book,
      runtimes: new Map([['memory', memory]]),
      startedAt: 0,
      earlier: new Set(),
      reason: 'drill',
      took: (step) => took.push(step),
    },
    agent,
  );
  pursuit.hurry(() => ({ killAt: 0, forceAt: 0, deadlineAt: clock.now() + 60_000 }));
  const handle = memory.spawn('stubborn');
  pursuit.refresh({ ...agent, handles: [handle] });
  await clock.advance(1_000);
  expect(memory.isAlive(handle)).toBe(false);
  pursuit.stop();
  await clock.advance(10);
});

it('I2: whoever is dead on record stays so, whatever copy comes late', async () => {
  const clock = manualClock();
  const state = memoryState();
  const memory = memoryRuntime();
  const handle = memory.spawn();
  const spawning: Agent = {
    ...{ agentId: 'a1', taskId: 't', sessionIds: [], workspaceId: 'w', ownerId: 'o', backendId: 'b' },
    ...{ lineage: [], hostId: 'h', revision: 0, handles: [], resources: [], ledger: [] },
    spawnedAt: clock.now(),
    status: 'spawning',
  };
  await state.admit(spawning);
  const kill = { orderIds: ['o1'], statusBefore: 'running' as const, requestedAt: 1, errors: [] };
  const killing: Agent = { ...spawning, revision: 1, handles: [handle], status: 'killing', kill };
  await state.swapAgents([killing]);
  const book = new Book(state, clock, new GuardedEvents(), 'h', 500);
  const runtimes = new Map([['memory', memory]]);
  const took = (): void => undefined;
  const pursuit = new Pursuit(
    { hostId: 'h', clock, book, runtimes, startedAt: 0, earlier: new Set(), reason: 'drill', took },
    killing,
  );
  pursuit.hurry(() => ({ killAt: 0, forceAt: 0, deadlineAt: clock.now() + 60_000 }));
  await clock.advance(1_000);
  expect(await pursuit.done).toMatchObject({ status: 'killed' });
  pursuit.refresh({ ...killing, revision: 9, handles: [handle, memory.spawn()] });
  await clock.advance(1_000);
  expect(pursuit.agent).toMatchObject({ status: 'killed', handles: [handle] });
});
