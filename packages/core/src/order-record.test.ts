import { expect, it } from 'vitest';
import type { Agent } from './agent.ts';
import type { AuditEvent } from './audit-event.ts';
import { agentKilled } from './audit-facts.ts';
import { Book } from './book.ts';
import { GuardedEvents } from './events.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import type { StopOrder } from './order.ts';
import { OrderRecord } from './order-record.ts';
import type { KilledOrKilling } from './order-report.ts';
import { Recorder } from './recorder.ts';
import { everyEvent } from './testing/every-event.ts';
import { harness, root } from './testing/harness.ts';

const order: StopOrder = {
  orderId: 'o1',
  revision: 0,
  hostId: 'h',
  scope: { task: 't' },
  opens: 'never',
  principal: { id: 'root', kind: 'user' },
  reason: 'drill',
  policyVersion: 'p/1',
  requestedAt: 10,
  killAt: 10,
  forceAt: 20,
  deadlineAt: 30,
};
const newAgent: Agent = {
  ...{ agentId: 'a1', taskId: 't', sessionIds: [], workspaceId: 'w1', ownerId: 'alice', backendId: 'b' },
  ...{ lineage: [], hostId: 'h', revision: 0, handles: [], resources: [], ledger: [], spawnedAt: 1 },
  status: 'spawning',
};

/** The record of one order over a real recorder, whose sink can be held up, and a store with an agent that it has killed. */
async function recording() {
  const clock = manualClock();
  const audit = memoryAudit();
  const state = memoryState();
  await state.admit(newAgent);
  const kill = { orderIds: ['o1'], statusBefore: 'spawning' as const, requestedAt: 10, errors: [] };
  const killing: Agent = { ...newAgent, revision: 1, status: 'killing', kill };
  const killed: Agent = {
    ...killing,
    ...{ revision: 2, status: 'killed', completedAt: 25 },
    kill: { ...kill, confirmedAt: 25, evidence: 'gone' },
  };
  await state.swapAgents([killing]);
  await state.swapAgents([killed]);
  let goOn = (): void => undefined;
  let held: Promise<void> | undefined = new Promise((resolve) => {
    goOn = resolve;
  });
  const sink = {
    ...audit,
    append: async (events: readonly AuditEvent[]) => {
      await held;
      await audit.append(events);
    },
  };
  const recorder = new Recorder(sink, clock, new GuardedEvents(), () => undefined);
  const book = new Book(state, clock, new GuardedEvents(), 'h', 500);
  const record = new OrderRecord({ hostId: 'h', clock, book, recorder, sink }, true, false);
  const release = (): void => {
    held = undefined;
    goOn();
  };
  return { clock, audit, recorder, record, release, killed: killed as KilledOrKilling };
}

it('I4: what the recorder has no room for is told again from the state, before anything says that it is complete', async () => {
  const { clock, audit, recorder, record, release, killed } = await recording();
  const [sample] = everyEvent;
  for (let n = 0; n < 10_000; n++)
    recorder.record({ ...sample!, id: `filler-${String(n).padStart(6, '0')}` });
  record.add(agentKilled(order, killed, 'h'));
  expect(record.isComplete).toBe(false);
  const early = record.complete(order, true);
  await clock.advance(1_000);
  expect([await early, record.isComplete]).toEqual([false, false]);
  release();
  await clock.advance(1_000);
  expect(await record.complete(order, true)).toBe(true);
  expect(record.isComplete).toBe(true);
  await recorder.flush(0);
  const told = audit.events().filter(({ id }) => !id.startsWith('filler'));
  expect(told.map(({ type }) => type)).toEqual(['order.requested', 'agent.killed']);
});

it('says of an agent whether it has told all that became of it', async () => {
  const { record, release, killed } = await recording();
  release();
  const named = { ...killed, kill: { ...killed.kill, unconfirmedAt: 30 } } as KilledOrKilling;
  expect(record.has(order, killed)).toBe(false);
  record.add(agentKilled(order, killed, 'h'));
  expect(record.has(order, killed)).toBe(true);
  expect(record.has(order, named)).toBe(false);
  const ofAnother = { ...named, kill: { ...named.kill, orderIds: ['o2', 'o1'] } } as KilledOrKilling;
  expect(record.has(order, ofAnother)).toBe(true);
});

it('I4: who was found not confirmed dead while the owner of the order was down is put on record when that is back', async () => {
  const state = memoryState();
  const a = await harness({ state });
  const { clock, audit } = a;
  const silent = { append: () => new Promise<never>(() => undefined) };
  const b = await harness({ state, hostId: 'host-2', clock, audit: { ...audit, ...silent } });
  const handle = await b.agent('b1', { task: 't', behaviour: 'immortal' });
  const { orderId } = await a.ks.kill({ task: 't' }, { principal: root, reason: 'drill', waitMs: 0 });
  await clock.advance(4_000);
  await a.ks.close();
  await clock.advance(1_200);
  expect(await state.getAgent('b1')).toMatchObject({ kill: { unconfirmedAt: expect.any(Number) } });
  const again = await harness({ state, clock, audit });
  b.runtime.end(handle);
  await clock.advance(6_000);
  expect(await again.ks.report(orderId)).toMatchObject({ settled: true, killed: 1 });
  expect(a.events('agent.unconfirmed')).toMatchObject([{ agentId: 'b1', orderId }]);
  expect(a.events('agent.killed')).toMatchObject([{ agentId: 'b1', orderId }]);
});
