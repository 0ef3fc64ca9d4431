import { describe, expect, it } from 'vitest';
import type { Handle, KillingAgent } from './agent.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import type { Runtime, RuntimeContext } from './ports/runtime.ts';
import { type Felled, isEasy, type VolleyHost, volley } from './volley.ts';

const agent = (agentId: string, handles: Handle[], hostId = 'here'): KillingAgent => ({
  agentId,
  taskId: 't',
  sessionIds: [],
  workspaceId: 'w',
  ownerId: 'alice',
  backendId: 'b',
  lineage: [],
  hostId,
  revision: 1,
  handles,
  resources: [],
  ledger: [],
  spawnedAt: 1,
  status: 'killing',
  kill: { orderIds: ['o'], statusBefore: 'running', requestedAt: 1, errors: [] },
});

describe('an agent is easy', () => {
  const clock = manualClock();
  const host = (runtime: Partial<Runtime>): VolleyHost => ({
    hostId: 'here',
    reason: 'drill',
    forceAt: () => 0,
    clock,
    runtimes: new Map([['memory', { ...memoryRuntime(), ...runtime }]]),
  });
  const route = { runtime: 'memory', id: 1 };

  it.each([
    ['with one route from here', 'host', [route], 'here', true],
    ['with no route', 'host', [], 'here', false],
    ['with several routes', 'network', [route, { ...route, id: 2 }], 'here', false],
    ['with a route of a runtime that is not here', 'network', [{ runtime: 'other' }], 'here', false],
    ['of another host, where only that one reaches it', 'host', [route], 'there', false],
    ['of another host, where its machine does', 'machine', [route], 'there', true],
    ['of another host, where any does', 'network', [route], 'there', true],
  ] as const)('%s', (_, reach, handles, hostId, expected) => {
    expect(isEasy(agent('a', [...handles], hostId), host({ reach }))).toBe(expected);
  });
});

describe('a volley', () => {
  type Way = (context: RuntimeContext) => Promise<{ state: 'alive' | 'dead' | 'unknown'; evidence: string }>;
  const hang = (): Promise<never> => new Promise(() => undefined);

  /** Fires at agents that each take the kill in a way of their own. */
  function fire(ways: Readonly<Record<string, Way>>, order = { forceAfter: 2_000 }) {
    const clock = manualClock();
    const start = clock.now();
    const handed: Array<{ readonly at: number; readonly felled: readonly Felled[] }> = [];
    const seen = new Map<string, RuntimeContext>();
    const runtime: Runtime = {
      ...memoryRuntime(),
      kill: async (_, context) => void seen.set(context.agentId, context),
      inspect: async (_, context) => (ways[context.agentId] as Way)(context),
    };
    const agents = Object.keys(ways).map((agentId, id) => agent(agentId, [{ runtime: 'memory', id }]));
    const runtimes = new Map([['memory', runtime]]);
    const forceAt = (): number => start + order.forceAfter;
    const host = { hostId: 'here', reason: 'drill', clock, runtimes, forceAt };
    const ended: { at?: number; rest?: string[] } = {};
    void volley(agents, host, (felled) => handed.push({ at: clock.now() - start, felled })).then((rest) => {
      ended.at = clock.now() - start;
      ended.rest = rest.map(({ agentId }) => agentId);
    });
    const batches = () => handed.map(({ at, felled }) => [at, ...felled.map((each) => each.agent.agentId)]);
    const after =
      (ms: number): Way =>
      async () => {
        await new Promise<void>((resolve) => clock.setTimer(ms, resolve));
        return dead();
      };
    return { clock, start, handed, batches, ended, seen, after };
  }
  const dead = () => ({ state: 'dead' as const, evidence: 'gone' });

  it('of the dying is over at once, and leaves nobody', async () => {
    const { clock, batches, handed, ended, seen, start } = fire({
      a: async () => dead(),
      b: async () => dead(),
    });
    await clock.advance(0);
    expect(batches()).toEqual([[0, 'a', 'b']]);
    expect(handed[0]?.felled[0]).toMatchObject({ signalledAt: start, evidence: 'gone' });
    expect(ended).toEqual({ at: 0, rest: [] });
    await clock.advance(2_000);
    expect(seen.get('a')).toMatchObject({ signal: { aborted: false }, reason: 'drill' });
  });

  it('hands on every 10 ms who was seen dead, and leaves after a quarter of a second who hangs', async () => {
    const { clock, batches, ended } = fire({ a: async () => dead(), hung: hang, b: async () => dead() });
    await clock.advance(9);
    expect(batches()).toEqual([]);
    await clock.advance(1);
    expect(batches()).toEqual([[10, 'a', 'b']]);
    await clock.advance(239);
    expect(ended).toEqual({});
    await clock.advance(1);
    expect(ended).toEqual({ at: 250, rest: ['hung'] });
    expect(batches()).toHaveLength(1);
  });

  it.each([
    [250, 2_000, 250],
    [400, 2_000, 400],
    [5_000, 2_000, 1_000],
    [5_000, 700, 700],
    [5_000, 100, 250],
  ])('of %i agents that are to be forced after %i ms leaves who hangs after %i ms', async (count, ms, at) => {
    const ways = Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, hang]));
    const { clock, ended } = fire(ways, { forceAfter: ms });
    await clock.advance(at - 1);
    expect(ended).toEqual({});
    await clock.advance(1);
    expect(ended).toMatchObject({ at });
  });

  it('ends sooner if another stop brings the force nearer', async () => {
    const ways = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`a${n}`, hang]));
    const order = { forceAfter: 2_000 };
    const { clock, ended } = fire(ways, order);
    await clock.advance(300);
    order.forceAfter = 400;
    await clock.advance(100);
    expect(ended).toMatchObject({ at: 400 });
  });

  it('ends with its last answer, not with the next tenth of a second', async () => {
    const shots = fire({ a: (context) => shots.after(14)(context), b: (context) => shots.after(3)(context) });
    await shots.clock.advance(50);
    expect(shots.batches()).toEqual([
      [10, 'b'],
      [14, 'a'],
    ]);
    expect(shots.ended).toEqual({ at: 14, rest: [] });
  });

  it('leaves whoever is alive, not to be seen, or makes its runtime fail', async () => {
    const { clock, ended, batches } = fire({
      alive: async () => ({ state: 'alive', evidence: 'there' }),
      unknown: async () => ({ state: 'unknown', evidence: 'dark' }),
      failing: () => Promise.reject(new Error('no')),
    });
    await clock.advance(300);
    expect(ended).toEqual({ at: 0, rest: ['alive', 'unknown', 'failing'] });
    expect(batches()).toEqual([]);
  });

  it('hands on nobody who is seen dead after its end: a pursuit has it by then', async () => {
    const shots = fire({ late: (context) => shots.after(260)(context) });
    await shots.clock.advance(1_000);
    expect([shots.batches(), shots.ended.rest]).toEqual([[], ['late']]);
  });

  it('tells a call after a second that its time is up', async () => {
    const { clock, seen } = fire({ hung: hang });
    await clock.advance(999);
    expect(seen.get('hung')?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(seen.get('hung')?.signal.aborted).toBe(true);
  });

  it('keeps 500 characters of evidence', async () => {
    const { clock, handed } = fire({ a: async () => ({ state: 'dead', evidence: 'x'.repeat(501) }) });
    await clock.advance(0);
    expect(handed[0]?.felled[0]?.evidence).toBe('x'.repeat(500));
  });
});
