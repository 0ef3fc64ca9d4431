import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isKillswitchError } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { sqliteState } from '../src/index.ts';
import { agentOf, claimedBy, orderOf } from './records.ts';
import { Child, opened, temporaryFolder } from './support.ts';

async function heldFile(): Promise<{ file: string; holder: Child }> {
  const file = join(temporaryFolder(), 'state.db');
  sqliteState(file).close();
  const holder = new Child('holder', [file]);
  expect(await holder.hear()).toBe('held');
  return { file, holder };
}

it('a call that waits for another process leaves the event loop free (I5)', async () => {
  const { file, holder } = await heldFile();
  const store = opened(file, { busyMs: 20_000 });
  let settled = false;
  const admission = store.admit(agentOf('a')).finally(() => {
    settled = true;
  });
  for (let tick = 0; tick < 100; tick += 1) await pause(2);
  expect(settled).toBe(false);
  holder.tell('release');
  expect(await admission).toEqual({ result: 'admitted' });
});

it('calls that wait are done in the order they were made', async () => {
  const { file, holder } = await heldFile();
  const store = opened(file, { busyMs: 20_000 });
  const calls = [
    store.admit(agentOf('a')),
    ...Array.from({ length: 300 }, (_, at) => store.admit(agentOf(`b${at}`))),
    store.admit(agentOf('a')),
  ];
  holder.tell('release');
  const answers = (await Promise.all(calls)).map(({ result }) => result);
  expect(answers.pop()).toBe('exists');
  expect(new Set(answers)).toEqual(new Set(['admitted']));
});

it('a stop does not wait behind waiting admissions', async () => {
  const { file, holder } = await heldFile();
  const store = opened(file, { busyMs: 20_000 });
  const done: string[] = [];
  const calls = [
    ...Array.from({ length: 2_000 }, (_, at) =>
      store.admit(agentOf(`a${at}`)).then(() => done.push('admit')),
    ),
    store.placeOrder(orderOf('order', { task: 't' })).then(() => done.push('order')),
  ];
  holder.tell('release');
  await Promise.all(calls);
  expect(done.indexOf('order')).toBeLessThan(1_000);
});

it('reads do not wait for a writer', async () => {
  const { file } = await heldFile();
  const store = opened(file, { busyMs: 20_000 });
  const waiting = store.admit(agentOf('a'));
  expect(await store.getAgent('a')).toBeUndefined();
  expect(await store.listAgents('everything', { limit: 10 })).toEqual({ items: [] });
  expect(await store.listOpenOrders()).toEqual([]);
  store.close();
  await expect(waiting).rejects.toMatchObject({ code: 'state-closed' });
});

it('a call that waited busyMs rejects with StateBusyError, and the next one works', async () => {
  const { file, holder } = await heldFile();
  const store = opened(file, { busyMs: 40 });
  const began = performance.now();
  const error = await store.admit(agentOf('a')).catch((thrown: unknown) => thrown);
  expect(isKillswitchError(error, 'state-busy')).toBe(true);
  expect(String(error)).toContain(file);
  expect(performance.now() - began).toBeGreaterThanOrEqual(40);
  holder.tell('release');
  expect(await holder.hear()).toBe('released');
  expect(await store.admit(agentOf('a'))).toEqual({ result: 'admitted' });
});

it('a large batch lets timers run between its transactions', async () => {
  const store = opened(join(temporaryFolder(), 'state.db'));
  const agents = Array.from({ length: 3_000 }, (_, at) => agentOf(`a${at}`));
  let done = false;
  const swap = store.swapAgents(agents.map((agent) => claimedBy(agent, 'order'))).finally(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  expect(await swap).toEqual(agents.map(() => false));
});

it('after close every call rejects, close can be repeated, and watching is harmless', async () => {
  const store = opened(join(temporaryFolder(), 'state.db'));
  store.watch(() => {});
  store.close();
  store.close();
  store.watch(() => {})();
  await expect(store.admit(agentOf('a'))).rejects.toMatchObject({ code: 'state-closed' });
  await expect(store.getAgent('a')).rejects.toMatchObject({ code: 'state-closed' });
  await expect(store.swapAgents([agentOf('a')])).rejects.toMatchObject({ code: 'state-closed' });
});
