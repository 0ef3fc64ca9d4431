import { memoryState } from '@agent-killswitch/core/memory';
import { expect, it, onTestFinished } from 'vitest';
import { installShutdownHandlers } from './install-shutdown-handlers.ts';
import { memorySessions } from './memory-sessions.ts';
import type { SessionStore } from './session-store.ts';
import type { ShutdownOptions } from './shutdown-options.ts';
import { heldStore } from './testing/held-store.ts';
import { adas, type Harness, harness, heeding, held } from './testing/sessions-harness.ts';

/** Handlers on a killswitch in memory, for a signal that nobody else uses, and what they did. */
function installed({ ks }: Harness, options: ShutdownOptions = {}) {
  const lines: string[] = [];
  const exits: number[] = [];
  const ended = Promise.withResolvers<number>();
  const handlers = installShutdownHandlers(ks, {
    signals: ['SIGUSR2'],
    log: (line) => lines.push(line),
    exit(code) {
      exits.push(code);
      ended.resolve(code);
    },
    ...options,
  });
  onTestFinished(() => handlers.remove());
  return { handlers, lines, exits, ended: ended.promise, signal: () => process.emit('SIGUSR2', 'SIGUSR2') };
}

it('D3: begun by hand it ends no process; a signal that comes then ends the grace, and the process when it is over', async () => {
  const made = await harness();
  const { task, end } = held();
  await made.sessions.start('s1', adas, task);
  const { handlers, exits, ended, signal, lines } = installed(made, { graceMs: 600_000 });
  const begun = handlers.shutdown('deployed anew');
  expect(handlers.shutdown('once more')).toBe(begun);
  signal();
  signal();
  end();
  expect(await ended).toBe(0);
  expect(await begun).toMatchObject({
    exitCode: 0,
    faults: [],
    stop: { settled: true, reason: 'deployed anew' },
  });
  expect(exits).toEqual([0]);
  expect(lines).toEqual(Array(2).fill('SIGUSR2 while shutting down: the grace is over'));
});

it('D3: cancels all with a grace of 5 s, unless told otherwise', async () => {
  const made = await harness();
  const { ended } = await made.sessions.start('s1', adas, heeding);
  await installed(made).handlers.shutdown();
  expect(await ended).toMatchObject({
    status: 'rejected',
    reason: { code: 'agent-stopped', demand: 'stop' },
  });
  const [{ time, killAt } = { time: '', killAt: '' }] = made.events('order.requested');
  expect(Date.parse(killAt) - Date.parse(time)).toBe(5_000);
});

it('D3: without a signal it only reports; nothing starts any more', async () => {
  const made = await harness();
  const { ended } = await made.sessions.start('s1', adas, heeding);
  const { handlers, exits } = installed(made);
  expect(await handlers.shutdown()).toMatchObject({ exitCode: 0, stop: { total: 1, killed: 1 } });
  expect((await ended).status).toBe('rejected');
  expect(exits).toEqual([]);
  await expect(made.sessions.start('s2', adas, heeding)).rejects.toMatchObject({
    code: expect.stringMatching(/gate-closed|not-started/),
  });
});

it('the rest is closed when the agents are dead, and what goes wrong there is a fault', async () => {
  const made = await harness();
  await made.sessions.start('s1', adas, heeding);
  const seen: unknown[] = [];
  const close = async (): Promise<void> => {
    seen.push((await made.sessions.get('s1'))?.status);
    throw new Error('port in use by nobody');
  };
  const { signal, ended, lines } = installed(made, { close });
  signal();
  expect(await ended).toBe(1);
  expect(seen).toEqual(['killed']);
  expect(lines).toEqual(['Not closed: Error: port in use by nobody']);
});

it('what never closes is given up', async () => {
  const { signal, ended, lines } = installed(await harness(), {
    close: () => new Promise(() => undefined),
    closeMs: 50,
  });
  signal();
  expect(await ended).toBe(1);
  expect(lines).toEqual(['Not closed: Error: no answer within 50 ms']);
});

it('what stands in memory only is named (UnsavedError)', async () => {
  const audit = {
    append: () => Promise.reject(new Error('disk full')),
    async *read() {},
    heads: async () => [],
  };
  const { signal, ended, lines } = installed(
    await harness({ audit, deadlines: { forceAfter: 100, confirmWithin: 300 } }),
    { graceMs: 0 },
  );
  signal();
  expect(await ended).toBe(1);
  expect(lines.join()).toContain('audit events are on the last resort only');
});

it('handlers that are removed hear nothing', async () => {
  const { handlers, exits } = installed(await harness());
  handlers.remove();
  expect(process.listenerCount('SIGUSR2')).toBe(0);
  expect(exits).toEqual([]);
});

it('what is missing, by name', async () => {
  const { ks } = await harness();
  const nothing = undefined as never;
  expect(() => installShutdownHandlers(nothing)).toThrow('installShutdownHandlers ks: must be a killswitch');
  expect(() => installShutdownHandlers({ signals: [] } as never)).toThrow('ks: must be a killswitch');
  expect(() => installShutdownHandlers(ks, null as never)).toThrow('installShutdownHandlers options: ');
  for (const ms of [Number.POSITIVE_INFINITY, Number.NaN, 0.5, '5' as never]) {
    expect(() => installShutdownHandlers(ks, { closeMs: ms })).toThrow('installShutdownHandlers closeMs: ');
    expect(() => installShutdownHandlers(ks, { graceMs: ms })).toThrow('installShutdownHandlers graceMs: ');
  }
  expect(process.listenerCount('SIGTERM')).toBe(0);
});

it.each([
  ['nothing', undefined],
  ['null', null],
  ['an event', new Event('SIGTERM')],
  ['blank text', ' '],
  ['a number', 15],
])('D3: called with %s for a reason, it stops the agents all the same', async (_, reason) => {
  const made = await harness();
  await made.sessions.start('s1', adas, heeding);
  const { handlers } = installed(made);
  expect(await handlers.shutdown(reason as never)).toMatchObject({
    exitCode: 0,
    stop: { killed: 1, reason: 'the service shuts down' },
  });
});

it('options that make no sense, all at once', async () => {
  const { ks } = await harness();
  const wrong = { graceMs: -1, closeMs: 0, close: 'it', signals: ['SIGKILL'], color: 'red' } as never;
  expect(() => installShutdownHandlers(ks, wrong)).toThrow(/graceMs[\s\S]*closeMs|closeMs[\s\S]*graceMs/);
  expect(process.listenerCount('SIGUSR2')).toBe(0);
});

it('a signal that comes when everybody is dead places no stop that the next start would find open', async () => {
  const state = memoryState();
  const made = await harness({ state });
  const closing = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const close = (): Promise<void> => {
    closing.resolve();
    return go.promise;
  };
  const { signal, ended } = installed(made, { close });
  signal();
  await closing.promise;
  signal();
  await new Promise(setImmediate);
  go.resolve();
  expect(await ended).toBe(0);
  expect(await state.listOpenOrders()).toEqual([]);
});

it('a log that throws keeps no process from its end', async () => {
  const made = await harness();
  const { task, end } = held();
  await made.sessions.start('s1', adas, task);
  const log = (): never => {
    throw new Error('EPIPE');
  };
  const { signal, ended } = installed(made, { log, graceMs: 600_000 });
  signal();
  signal();
  end();
  expect(await ended).toBe(0);
});

it('a last checkpoint that could not be stored is a fault, where the sessions are closed', async () => {
  const inner = memorySessions();
  let isDown = false;
  const store: SessionStore = {
    ...inner,
    put: (record) => (isDown ? Promise.reject(new Error('disk full')) : inner.put(record)),
  };
  const made = await harness({}, { store });
  await made.sessions.start('s1', adas, async ({ signal, checkpoint }) => {
    await checkpoint('old');
    isDown = true;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    void checkpoint('last words');
  });
  const { signal, ended, lines } = installed(made, { close: () => made.sessions.close() });
  await expect.poll(() => isDown).toBe(true);
  signal();
  expect(await ended).toBe(1);
  expect(lines).toEqual([expect.stringContaining('Last checkpoints that could not be stored: 1')]);
});

it('the end waits for a last checkpoint that is on its way', async () => {
  const { inner, store, putting, letGo } = heldStore(({ checkpoint }) => checkpoint !== undefined);
  const made = await harness({}, { store });
  await made.sessions.start('s1', adas, async ({ signal, checkpoint }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    void checkpoint('last words');
  });
  const { signal, ended } = installed(made, { close: () => made.sessions.close() });
  signal();
  await putting;
  letGo();
  expect(await ended).toBe(0);
  expect((await inner.get('s1'))?.checkpoint).toMatchObject({ json: '"last words"' });
});
