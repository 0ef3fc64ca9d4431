/**
 * Histories of clients that race, some of whose connections are cut, taken as one after the other.
 * @services valkey
 */
import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../campaigns/seeded-random.ts';
import { withService } from '../../../test/support/with-service.ts';
import { brokenScripts, replaceScript } from './support/broken-scripts.ts';
import { type Answer, type Call, perform, specification, start } from './support/claim-and-gate.ts';
import { clientOf, ownPrefix, storeOf } from './support/clients.ts';
import { isLinearizable, type Operation } from './support/linearizable.ts';
import { SlowProxy } from './support/slow-proxy.ts';
import { someCall } from './support/some-call.ts';

type History = Operation<Call, Answer>[];
const clients = 5;
const callsEach = 6;
const rounds = 150;

it('the search tells what can be put in a row from what cannot', () => {
  const claim = (by: string, answer: boolean, begun: number, ended: number): History[number] => ({
    call: { do: 'claim', agent: 'a', from: 0, by },
    answer,
    begun,
    ended,
  });
  const there = { ...start, agents: { a: 0 } };
  const isRow = (...history: History) => isLinearizable(history, there, specification);
  expect(isRow(claim('x', true, 0, 2), claim('y', false, 1, 3))).toBe(true);
  expect(isRow(claim('x', false, 0, 2), claim('y', true, 1, 3))).toBe(true);
  expect(isRow(claim('x', true, 0, 2), claim('y', true, 1, 3))).toBe(false);
  expect(isRow(claim('x', false, 0, 1), claim('y', true, 2, 3))).toBe(false);
  const unknown = { call: claim('z', true, 0, 0).call, begun: 0, ended: Number.POSITIVE_INFINITY };
  expect(isRow(unknown, claim('x', false, 1, 2))).toBe(true);
  expect(isRow(unknown, claim('x', true, 1, 2))).toBe(true);
});

withService('valkey', 'VALKEY_URL', (url) => {
  it(`${rounds} histories of claims and gates can be put in a row, also where connections were cut`, async () => {
    const { histories, unanswered } = await record(url, () => {});
    const torn = histories.filter((each) => !isLinearizable(each, start, specification));
    expect(torn.map(linesOf)).toEqual([]);
    expect(unanswered).toBeGreaterThan(0);
  });

  it.each(brokenScripts)('a script that %s is found out', async (_, script, source) => {
    const { histories } = await record(url, (client) => replaceScript(client, script, source));
    expect(histories.some((each) => !isLinearizable(each, start, specification))).toBe(true);
  });
});

async function record(
  url: string,
  prepare: (client: Redis) => void,
): Promise<{ histories: History[]; unanswered: number }> {
  const random = new SeededRandom(5);
  const proxy = await SlowProxy.to(Number(new URL(url).port));
  // Every other one gives up when its connection is cut; the others send again what was on its way.
  const connections = Array.from({ length: clients }, (_, n) =>
    clientOf(proxy.url, { retryStrategy: () => 1, ...(n % 2 === 0 ? { maxRetriesPerRequest: 0 } : {}) }),
  );
  for (const connection of connections) prepare(connection);
  const histories: History[] = [];
  let unanswered = 0;
  for (let round = 0; round < rounds; round += 1) {
    const prefix = ownPrefix(url);
    const stores = connections.map((client) => storeOf(url, { prefix }, client));
    // Who they are is settled before the race.
    for (const store of stores) await untilAnswered(() => store.listLeases());
    const history: History = [];
    let cutAt = 0;
    const racing = stores.map(async (store, n) => {
      for (let k = 0; k < callsEach; k += 1) {
        const call = someCall(random, `${n}-${k}`);
        const begun = performance.now();
        try {
          const answer = await perform(store, call);
          // Sent again, a change that was stored and then overtaken is answered as a lost race.
          if (answer === false && cutAt > begun)
            history.push({ call, begun, ended: Number.POSITIVE_INFINITY });
          else history.push({ call, answer, begun, ended: performance.now() });
        } catch {
          history.push({ call, begun, ended: Number.POSITIVE_INFINITY });
          unanswered += 1;
        }
      }
    });
    if (random.chance(0.3)) {
      await new Promise((resolve) => setTimeout(resolve, random.integer(0, 4)));
      cutAt = performance.now();
      proxy.cut();
    }
    await Promise.all(racing);
    histories.push(history);
  }
  return { histories, unanswered };
}

async function untilAnswered(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'state-connection') throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** A history as people read it. */
function linesOf(history: History): string[] {
  const sorted = history.toSorted((a, b) => a.begun - b.begun);
  const since = sorted[0]?.begun ?? 0;
  const at = (time: number) => (time - since).toFixed(2);
  return sorted.map(({ call, answer, begun, ended }) =>
    [at(begun), at(ended), JSON.stringify(call), JSON.stringify(answer)].join(' '),
  );
}
