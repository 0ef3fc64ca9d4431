import { promiseRuntime } from '@agent-killswitch/adapter-process';
import { createKillswitch, type Principal } from '@agent-killswitch/core';
import { manualClock, memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { createSessions } from '@agent-killswitch/sessions';
import { expect, test } from 'vitest';
import { ReportDesk, type Writer } from './report-desk.ts';

const member = (id: string): Principal => ({
  id,
  kind: 'user',
  grants: [{ role: 'member', workspaceId: 'desk' }],
});
const [mia, tom] = [member('mia'), member('tom')];
const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

/** The desk on a killswitch in memory, with the usual deadlines of 2 and 5 seconds, on a clock that the test moves. */
async function desk(writer: Writer) {
  const clock = manualClock();
  const audit = memoryAudit();
  const promises = promiseRuntime();
  const ks = createKillswitch({
    hostId: 'test',
    state: memoryState(),
    audit,
    runtimes: { promise: promises },
    clock,
  });
  await ks.start();
  return { clock, audit, ks, desk: new ReportDesk(createSessions(ks, { promises, clock }), writer) };
}

/** Writes two chapters, and then waits to be told to end. */
const diligent: Writer =
  () =>
  async ({ signal, checkpoint }) => {
    for (const chapter of [1, 2]) await checkpoint(chapter);
    // Who was told already is not told again.
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return signal.reason.message;
  };

/** Never looks up from its work. */
const engrossed: Writer = () => () => new Promise(() => undefined);

test('a report that is written is done', async () => {
  const { desk: it, clock } = await desk((topic) => async () => `All about ${topic}`);
  const orderId = await it.order('mia', 'bees');
  await clock.advance(0);
  expect(await it.progress(orderId)).toEqual({ status: 'completed', chapters: 0 });
  expect(await it.cancel(mia, orderId)).toBe('There is nothing to cancel');
});

test('a customer cancels their own report, nobody the report of another; what was written is kept', async () => {
  const { desk: it, clock } = await desk(diligent);
  const orderId = await it.order('mia', 'bees');
  await expect(it.cancel(tom, orderId)).rejects.toMatchObject({ code: 'forbidden' });
  const cancelled = it.cancel(mia, orderId);
  await clock.advance(100);
  expect(await cancelled).toBe('Cancelled');
  expect(await it.progress(orderId)).toEqual({ status: 'killed', chapters: 2 });
});

test('a writer that cannot be stopped is not called stopped: five seconds later, at once', async () => {
  const { desk: it, clock, audit } = await desk(engrossed);
  const orderId = await it.order('mia', 'bees');
  const cancelled = it.cancel(mia, orderId);
  await clock.advance(5_000);
  expect(await cancelled).toBe('We are still trying to stop it');
  expect(await it.progress(orderId)).toMatchObject({ status: 'killing' });
  expect(audit.events().map(({ type }) => type)).toEqual(['order.requested', 'agent.unconfirmed']);
});

test('after an emergency stop no report is taken, until somebody releases it', async () => {
  const { desk: it, ks, clock } = await desk(diligent);
  const orderId = await it.order('mia', 'bees');
  const stop = ks.emergencyStop({ principal: root, reason: 'drill' });
  await clock.advance(100);
  expect(await stop).toMatchObject({ settled: true, killed: 1 });
  expect(await it.progress(orderId)).toMatchObject({ status: 'killed' });
  await expect(it.order('mia', 'wasps')).rejects.toMatchObject({ code: 'gate-closed' });
  await ks.release({ everything: true }, { principal: root, reason: 'all clear' });
  await it.order('mia', 'wasps');
});
