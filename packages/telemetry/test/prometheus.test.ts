/** What a Prometheus reads, by a parser of its text format, is what stands on the audit record. */
import type { AuditEvent, CleanupStep, Handle, StateStore } from '@agent-killswitch/core';
import { type MemoryBehaviour, memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { killswitchMetrics } from '../src/prometheus/index.ts';
import { scrape } from './support/samples.ts';
import { root, site, zoe } from './support/site.ts';

/** Mulberry32, so that a failure can be had again. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const operations = [
  ...['kill-agent', 'kill-task', 'kill-workspace', 'kill-everything'],
  ...['stop-agent', 'stop-task', 'stop-workspace', 'stop-everything', 'emergency-stop'],
];

test.each([1, 2, 3])('after a random run (seed %i) every counter equals the record', async (seed) => {
  const pick = chance(seed);
  let failures = 0;
  const fickle: CleanupStep = {
    name: 'fickle',
    limits: { tries: 1 },
    appliesTo: () => true,
    async run() {
      if (pick(2) === 0) {
        failures += 1;
        throw new Error('not now');
      }
    },
  };
  const { ks, clock, agent, onRecord, audit } = await site({ cleanup: [fickle] });
  const register = new Registry();
  killswitchMetrics(ks, { register, clock });
  const behaviours: readonly MemoryBehaviour[] = ['cooperative', 'cooperative', 'stubborn', 'immortal'];
  const under: Promise<unknown>[] = [];
  const ask = (work: Promise<unknown>): void => {
    under.push(work.catch(() => undefined));
  };
  for (let n = 0; n < 300; n += 1) {
    const some = `a${pick(n + 1)}`;
    const request = { principal: pick(6) === 0 ? zoe : root, reason: 'by chance' };
    const acts: ReadonlyArray<() => void> = [
      () => ask(agent(`a${n}`, behaviours[pick(4)])),
      () => ask(agent(`a${n}`, behaviours[pick(2)])),
      () => ask(agent(`a${n}`, behaviours[pick(2)])),
      () => ask(ks.kill({ task: `task-${some}` }, request)),
      () => ask(ks.kill({ agent: some }, request)),
      () => ask(ks.stop({ task: `task-${some}` }, { ...request, graceMs: 200 })),
      () => ask(ks.kill({ workspace: 'w' }, { ...request, hold: pick(2) === 0 })),
      () => ask(ks.release({ workspace: 'w' }, request)),
      () => ask(ks.completed(some)),
      () => ask(pick(5) === 0 ? ks.emergencyStop(request) : ks.release({ everything: true }, request)),
      () => ask(ks.release({ everything: true }, request)),
    ];
    acts[pick(acts.length)]?.();
    await clock.advance(pick(3) === 0 ? 700 : 5);
  }
  await clock.advance(20_000);
  await Promise.all(under);

  const read = await scrape(register);
  const count = (name: string, labels?: Record<string, string>) => read.total(name, labels) ?? 0;
  const types = new Set(audit.events().map(({ type }) => type));
  for (const type of types)
    expect([type, count('killswitch_audit_events_total', { type })]).toEqual([type, onRecord(type)]);
  expect(count('killswitch_audit_events_total')).toBe(audit.events().length);
  for (const operation of operations) {
    const of = (event: { operation: string }): boolean => event.operation === operation;
    expect([
      operation,
      count('killswitch_stops_total', { operation }),
      count('killswitch_stops_settled_total', { operation }),
    ]).toEqual([operation, onRecord('order.requested', of), onRecord('order.settled', of)]);
    expect([operation, count('killswitch_kills_total', { operation, outcome: 'confirmed' })]).toEqual([
      operation,
      onRecord('agent.killed', of),
    ]);
  }
  for (const forced of [true, false]) {
    const of = (event: { forced: boolean }): boolean => event.forced === forced;
    const labels = { forced: String(forced) };
    expect(count('killswitch_kills_total', { ...labels, outcome: 'confirmed' })).toBe(
      onRecord('agent.killed', of),
    );
    expect(count('killswitch_kills_total', { ...labels, outcome: 'unconfirmed' })).toBe(
      onRecord('agent.unconfirmed', of),
    );
  }
  for (const status of ['done', 'failed'])
    expect(count('killswitch_cleanups_total', { step: 'fickle', status })).toBe(
      onRecord('cleanup.finished', (event) => event.status === status),
    );
  for (const action of ['kill', 'release', 'read', 'admit'])
    expect(count('killswitch_denials_total', { action })).toBe(
      onRecord('request.denied', (event) => event.action === action),
    );
  expect(count('killswitch_releases_total')).toBe(onRecord('gate.released'));

  expect(read.observed('killswitch_time_to_death_seconds').count).toBe(onRecord('agent.killed'));
  expect(read.observed('killswitch_time_to_signal_seconds').count).toBe(
    onRecord('agent.killed', ({ signalledAt }) => signalledAt !== undefined),
  );
  expect(read.observed('killswitch_time_to_settled_seconds').count).toBe(onRecord('order.settled'));
  expect(read.observed('killswitch_time_to_death_seconds').sum).toBeCloseTo(
    secondsToDeath(audit.events()),
    6,
  );
  const { openOrders } = await ks.status();
  expect(count('killswitch_open_stops')).toBe(openOrders.length);
  const killed = new Set(
    audit.events().flatMap((event) => (event.type === 'agent.killed' ? [event.agentId] : [])),
  );
  const alive = audit
    .events()
    .filter((event) => event.type === 'agent.unconfirmed' && !killed.has(event.agentId));
  expect(count('killswitch_unconfirmed_agents')).toBe(alive.length);
  // No label holds an id, or anything else that somebody chose: every id of this run has a digit.
  const values = Object.values(read.metrics).flatMap(({ data = [] }) =>
    data.flatMap(({ labels }: { labels?: Record<string, string> }) => Object.values(labels ?? {})),
  );
  expect(values.filter((value) => /\d/.test(value))).toEqual([]);
  expect(new Set(values).size).toBeGreaterThan(10);
  expect(new Set(values).size).toBeLessThan(60);
  // The run was worth it.
  for (const type of [
    'request.denied',
    'order.joined',
    'agent.unconfirmed',
    'gate.released',
    'order.settled',
  ] as const)
    expect(types).toContain(type);
  expect(failures).toBeGreaterThan(0);
});

/** From the request of the order that claimed each agent to its death, by the record alone. */
function secondsToDeath(events: readonly AuditEvent[]): number {
  const requested = new Map(
    events.flatMap((event) =>
      event.type === 'order.requested' ? [[event.orderId, Date.parse(event.time)]] : [],
    ),
  );
  return events
    .filter((event) => event.type === 'agent.killed')
    .reduce(
      (sum, event) => sum + (Date.parse(event.confirmedAt) - (requested.get(event.orderId) ?? 0)) / 1_000,
      0,
    );
}

test('gates, open stops and who is alive though they should not be', async () => {
  const { ks, clock, agent, passing } = await site();
  const register = new Registry();
  killswitchMetrics(ks, { register, clock });
  await agent('a1', 'immortal');
  await agent('a2');
  await passing(ks.kill({ task: 'task-a1' }, { principal: root, reason: 'it went rogue' }));
  const during = await scrape(register);
  expect(during.total('killswitch_open_stops')).toBe(1);
  expect(during.total('killswitch_unconfirmed_agents')).toBe(1);
  expect(during.total('killswitch_gates_shut', { scope: 'task' })).toBe(1);
  expect(during.total('killswitch_gates_shut', { scope: 'everything' })).toBe(0);
  await passing(ks.emergencyStop({ principal: root, reason: 'drill' }));
  expect((await scrape(register)).total('killswitch_gates_shut', { scope: 'everything' })).toBe(1);
  await passing(ks.release({ everything: true }, { principal: root, reason: 'over' }));
  expect((await scrape(register)).total('killswitch_gates_shut', { scope: 'everything' })).toBe(0);
});

test('what an earlier life of the process left unconfirmed is seen', async () => {
  const state = memoryState();
  const { ks, agent, passing, clock, runtime } = await site({ state });
  await agent('a1', 'immortal');
  await passing(ks.kill({ task: 'task-a1' }, { principal: root, reason: 'it went rogue' }));
  await ks.close().catch(() => undefined);
  const later = await site({ state, clock, runtimes: { memory: runtime } });
  const register = new Registry();
  killswitchMetrics(later.ks, { register, clock });
  await clock.advance(5_000);
  expect((await scrape(register)).total('killswitch_unconfirmed_agents')).toBe(1);
  runtime.end({ runtime: 'memory', id: 0 });
  await clock.advance(5_000);
  const read = await scrape(register);
  expect(read.total('killswitch_unconfirmed_agents')).toBe(0);
  expect(read.total('killswitch_stops_total')).toBeUndefined();
  // From its request, in the earlier life.
  expect(read.observed('killswitch_time_to_settled_seconds').count).toBe(1);
  expect(read.observed('killswitch_time_to_settled_seconds').sum).toBeGreaterThan(10);
});

test('what one host is asked for, it counts, and no other that has a copy of it on its record', async () => {
  const state = memoryState();
  const { ks, clock, passing, agent } = await site({ state });
  const other = await site({ state, clock, hostId: 'host-2' });
  const registers = [ks, other.ks].map((each) => {
    const register = new Registry();
    killswitchMetrics(each, { register, clock });
    return register;
  });
  await agent('a1');
  await passing(ks.kill({ task: 'task-a1' }, { principal: root, reason: 'it went rogue' }));
  await passing(ks.emergencyStop({ principal: root, reason: 'drill' }));
  await clock.advance(2_000);
  await passing(other.ks.release({ everything: true }, { principal: root, reason: 'over' }));
  await clock.advance(2_000);
  expect(other.onRecord('order.requested')).toBe(2);
  const counted = (name: string) =>
    Promise.all(registers.map(async (register) => (await scrape(register)).total(`killswitch_${name}`)));
  expect(await counted('stops_total')).toEqual([2, undefined]);
  expect(await counted('stops_settled_total')).toEqual([2, undefined]);
  expect(await counted('releases_total')).toEqual([0, 1]);
});

test('while the state store hangs, a scrape answers in time and shows nothing that is not so', async () => {
  const store = memoryState();
  let isHung = false;
  const state = patched(store, (_, call) => (isHung ? new Promise(() => undefined) : call()));
  const { ks, clock, agent, passing } = await site({ state });
  const register = new Registry();
  killswitchMetrics(ks, { register, clock, stateMs: 300 });
  await agent('a1');
  expect((await scrape(register)).total('killswitch_state_up')).toBe(1);
  isHung = true;
  const kill = ks.kill({ task: 'task-a1' }, { principal: root, reason: 'it went rogue' });
  await clock.advance(1);
  const scraping = scrape(register);
  await clock.advance(300);
  const read = await scraping;
  expect(read.total('killswitch_state_up')).toBe(0);
  for (const name of [
    'killswitch_open_stops',
    'killswitch_lost_hosts',
    'killswitch_gates',
    'killswitch_gates_shut',
  ])
    expect([name, read.total(name)]).toEqual([name, undefined]);
  expect(read.total('killswitch_unconfirmed_degraded')).toBe(1);
  await passing(kill);
  expect((await passing(scrape(register))).total('killswitch_unsaved_agents')).toBe(1);
  isHung = false;
  await clock.advance(10_000);
  const after = await scrape(register);
  expect([after.total('killswitch_state_up'), after.total('killswitch_unsaved_agents')]).toEqual([1, 0]);
});

test('a scrape takes no longer than it may, however many stops are open and however slow the store, and says what it lacks', async () => {
  const store = memoryState();
  let isSlow = false;
  const { ks, clock, agent, passing } = await site({
    state: patched(store, (name, call) =>
      isSlow && name === 'listOrder'
        ? new Promise((resolve) => clock.setTimer(400, () => resolve(call())))
        : call(),
    ),
  });
  const kills: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n += 1) {
    await agent(`a${n}`, 'immortal');
    kills.push(ks.kill({ task: `task-a${n}` }, { principal: root, reason: 'it went rogue' }));
  }
  await passing(Promise.all(kills));
  // As after a restart, what was told before is unknown.
  const register = new Registry();
  killswitchMetrics(ks, { register, clock, stateMs: 200 });
  isSlow = true;
  const scraping = scrape(register);
  await clock.advance(200);
  const early = await Promise.race([scraping, nextTurn()]);
  expect(early?.total('killswitch_state_up')).toBe(1);
  expect(early?.total('killswitch_open_stops')).toBe(20);
  expect(early?.total('killswitch_unconfirmed_degraded')).toBe(1);
  isSlow = false;
  await clock.advance(5_000);
  const late = await scrape(register);
  expect(late.total('killswitch_unconfirmed_agents')).toBe(20);
  expect(late.total('killswitch_unconfirmed_degraded')).toBe(0);
});

test('of very many who are alive though they should not be, all are looked at: another host may have seen them dead', async () => {
  const state = memoryState();
  const { ks, passing, clock, runtime } = await site({
    state,
    deadlines: { forceAfter: 20, confirmWithin: 50 },
  });
  const handles: Handle[] = [];
  for (let n = 0; n < 110; n += 1) {
    await ks.admit({ agentId: `a${n}`, taskId: 't', workspaceId: 'w', ownerId: 'mia' });
    const handle = runtime.spawn('immortal');
    handles.push(handle);
    await ks.running(`a${n}`, [handle]);
  }
  const other = await site({ state, clock, hostId: 'host-2' });
  const register = new Registry();
  killswitchMetrics(other.ks, { register, clock });
  await passing(ks.kill({ task: 't' }, { principal: root, reason: 'they went rogue' }));
  const alive = async () => {
    const read = await scrape(register);
    return [read.total('killswitch_unconfirmed_agents'), read.total('killswitch_unconfirmed_degraded')];
  };
  expect(await alive()).toEqual([110, 0]);
  for (const handle of handles.slice(104)) runtime.end(handle);
  await clock.advance(2_000);
  expect(await alive()).toEqual([104, 0]);
  for (const handle of handles) runtime.end(handle);
  await clock.advance(2_000);
  expect(await alive()).toEqual([0, 0]);
});

test('a store that does not answer is not up, also if a stop in memory can be told of', async () => {
  let isDown = false;
  const { ks, clock, agent, passing } = await site({
    state: patched(memoryState(), (_, call) => (isDown ? Promise.reject(new Error('down')) : call())),
  });
  const register = new Registry();
  killswitchMetrics(ks, { register, clock });
  await agent('a1', 'immortal');
  isDown = true;
  await passing(ks.kill({ task: 'task-a1' }, { principal: root, reason: 'it went rogue' }));
  const read = await scrape(register);
  const names = ['state_up', 'open_stops', 'unsaved_stops', 'unconfirmed_agents', 'unconfirmed_degraded'];
  expect(names.map((name) => read.total(`killswitch_${name}`))).toEqual([0, undefined, 1, 1, 1]);
});

test('while the audit sink is down, lag and degradation are seen', async () => {
  const sink = memoryAudit();
  let isDown = false;
  const append = async (events: readonly AuditEvent[]): Promise<void> => {
    if (isDown) throw new Error('down');
    await sink.append(events);
  };
  const { ks, clock, agent, passing } = await site({ audit: { ...sink, append } });
  const register = new Registry();
  killswitchMetrics(ks, { register, clock });
  await agent('a1');
  isDown = true;
  await passing(ks.kill({ task: 'task-a1' }, { principal: root, reason: 'it went rogue' }));
  await clock.advance(3_000);
  const read = await scrape(register);
  expect(read.total('killswitch_audit_degraded')).toBe(1);
  expect(read.total('killswitch_audit_waiting_events')).toBeGreaterThan(0);
  expect(read.total('killswitch_audit_lag_seconds')).toBeGreaterThanOrEqual(3);
  isDown = false;
  await clock.advance(10_000);
  const after = await scrape(register);
  for (const name of [
    'killswitch_audit_degraded',
    'killswitch_audit_waiting_events',
    'killswitch_audit_lag_seconds',
  ])
    expect([name, after.total(name)]).toEqual([name, 0]);
});

test('options that make no sense are refused, each fault by name', async () => {
  const { ks } = await site();
  const options = { register: {}, stateMs: -1 } as unknown as { register: Registry };
  expect(() => killswitchMetrics(ks, options)).toThrow(
    expect.objectContaining({
      code: 'invalid-configuration',
      issues: [
        'killswitchMetrics register: must be a registry of prom-client',
        'killswitchMetrics stateMs: must be 1 to 60,000',
      ],
    }),
  );
});

test('names collide by name, and a registry that fails breaks nothing (I5)', async () => {
  const { ks, agent, passing, clock } = await site();
  const register = new Registry();
  const metrics = killswitchMetrics(ks, { register, clock });
  expect(() => killswitchMetrics(ks, { register, clock })).toThrow('killswitch_');
  metrics.stop();
  expect(await register.metrics()).toBe('\n');
  const again = new Registry();
  killswitchMetrics(ks, { register: again, clock });
  again.clear();
  await agent('a1');
  expect(
    await passing(ks.kill({ task: 'task-a1' }, { principal: root, reason: 'it went rogue' })),
  ).toMatchObject({ killed: 1, settled: true });
});

/** A store with every answer under control, except the way of its hints. */
function patched(store: StateStore, answer: (name: PropertyKey, call: () => unknown) => unknown): StateStore {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name) as ((...args: unknown[]) => unknown) | undefined;
      // What a store need not have.
      if (member === undefined) return undefined;
      const call = (...args: unknown[]): unknown => member.apply(target, args);
      return name === 'watch' ? call : (...args: unknown[]) => answer(name, () => call(...args));
    },
  });
}

/** Resolves with nothing as soon as everything had its turn that waits for no time. */
function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}
