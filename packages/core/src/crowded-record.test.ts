import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { Book } from './book.ts';
import { GuardedEvents } from './events.ts';
import { Guard } from './guard.ts';
import { cryptoRandomBytes } from './ids.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import { Placing } from './placing.ts';
import { Recorder } from './recorder.ts';
import { Releases } from './releases.ts';
import { rolePolicy } from './role-policy.ts';
import type { StopRun } from './stop-run.ts';
import type { Stops } from './stops.ts';
import { type Harness, harness, root, stranger } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };

/** A killswitch over a sink that takes so long for each batch, and that hangs while it is told to. */
async function slow(overrides: Parameters<typeof harness>[0] = {}) {
  const sink = memoryAudit();
  const mode = { ms: 0, isHung: false };
  const pause = (ms: number) => new Promise<void>((resolve) => void h.clock.setTimer(ms, resolve));
  const append = async (events: readonly AuditEvent[]): Promise<void> => {
    while (mode.isHung) await pause(50);
    if (mode.ms > 0) await pause(mode.ms);
    await sink.append(events);
  };
  const h: Harness = await harness({ audit: { ...sink, append }, ...overrides });
  const degraded: string[] = [];
  h.ks.on('audit-degraded', ({ error }) => degraded.push(error));
  const of = (type: AuditEvent['type']) => sink.events().filter((event) => event.type === type);
  /** Somebody without rights asks so often. */
  const besiege = (times: number): void => {
    for (let n = 0; n < times; n++)
      h.ks.kill({ workspace: 'w1' }, { principal: stranger, reason: 'x' }).catch(() => undefined);
  };
  return { ...h, sink, mode, degraded, of, besiege };
}

it('I4: whoever is denied very often keeps no stop off the record, and no release', async () => {
  const h = await slow();
  await h.agent('a1', { behaviour: 'stubborn' });
  h.mode.isHung = true;
  h.besiege(4_100);
  await h.clock.advance(0);
  expect(h.degraded).toEqual([expect.stringContaining('goes to the last resort alone')]);
  const { orderId } = await h.during(6_000, h.ks.emergencyStop({ ...request, waitMs: 0 }));
  await h.clock.advance(3_000);
  h.mode.isHung = false;
  h.mode.ms = 150;
  expect(await h.during(9_000, h.ks.release({ everything: true }, request))).toMatchObject({
    released: true,
  });
  await h.clock.advance(9_000);
  expect((await h.ks.report(orderId)).settled).toBe(true);
  const facts = [
    'order.requested',
    'agent.killed',
    'release.requested',
    'gate.released',
    'order.settled',
  ] as const;
  expect(facts.map((type) => h.of(type).length)).toEqual([1, 1, 1, 1, 1]);
  expect(h.of('request.denied')).toHaveLength(4_000);
}, 60_000);

/** A recorder that has no room for anything, until its sink is opened. */
function full(clock: Harness['clock'], events: GuardedEvents, fact: AuditEvent) {
  const gate = Promise.withResolvers<void>();
  const hung = { ...memoryAudit(), append: () => gate.promise };
  const recorder = new Recorder(hung, clock, events, () => undefined);
  while (recorder.record(fact));
  return { recorder, open: () => gate.resolve() };
}

it('I4: a release for which there is no room on record is refused, and nothing is opened', async () => {
  const h = await harness();
  await h.during(6_000, h.ks.emergencyStop(request));
  const { clock, state } = h;
  const events = new GuardedEvents();
  const { recorder, open } = full(clock, events, h.events('order.requested')[0] as AuditEvent);
  const book = new Book(state, clock, events, 'host-1', 500);
  const base = {
    ...{ hostId: 'host-1', clock, randomBytes: cryptoRandomBytes },
    ...{ authorizer: rolePolicy(), book, recorder },
  };
  const stops = { unplaced: () => [], through: async () => undefined } as unknown as Stops;
  const releases = new Releases({ ...base, guard: new Guard(base), stops, approvals: 1 });
  const asked = releases.release({ everything: true }, request);
  asked.catch(() => undefined);
  await clock.advance(0);
  // All that waits becomes durable; what there was no room for is not among it.
  open();
  await clock.advance(100);
  await expect(asked).rejects.toMatchObject({ code: 'audit-unavailable' });
  expect(recorder.waiting).toBe(0);
  expect(await state.listGates()).toHaveLength(1);
});

it('I4: the request of a stop for which there is no room is left to its run, which tells it again', async () => {
  const h = await harness();
  const { orderId } = await h.during(6_000, h.ks.kill({ workspace: 'w1' }, request));
  const { clock } = h;
  const state = memoryState();
  const events = new GuardedEvents();
  const { recorder } = full(clock, events, h.events('order.requested')[0] as AuditEvent);
  const told: AuditEvent[] = [];
  const run = { record: (event: AuditEvent) => told.push(event), outlived: () => undefined };
  const placing = new Placing({
    ...{ hostId: 'host-1', clock, book: new Book(state, clock, events, 'host-1', 500), recorder, events },
    unplaced: () => undefined,
    begin: () => run as unknown as StopRun,
  });
  const order = { ...(await h.ks.order(orderId)), orderId: 'two' };
  await h.during(1_000, placing.place(order));
  expect(told).toMatchObject([{ type: 'order.requested', orderId: 'two' }]);
});

it('I4: every cleanup is on record before it is in the ledger, however many there are', async () => {
  const names = Array.from({ length: 100 }, (_, n) => `step-${n}`);
  const cleanup = names.map((name) => ({ name, appliesTo: () => true, run: async () => undefined }));
  const h = await slow({ cleanup });
  const count = 110;
  for (let n = 0; n < count; n++) await h.agent(`a${n}`, { task: 't' });
  h.mode.ms = 100;
  const report = await h.during(20_000, h.ks.kill({ everything: true }, { ...request, waitMs: 20_000 }));
  expect(report).toMatchObject({ settled: true, killed: count });
  expect(h.of('cleanup.finished')).toHaveLength(count * names.length);
  expect(h.degraded).toEqual([]);
}, 60_000);
