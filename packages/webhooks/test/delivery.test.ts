/** Retries, pauses, dead letters: against real servers, with short pauses. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, Clock, KillswitchEvents } from '@agent-killswitch/core';
import { manualClock } from '@agent-killswitch/core/memory';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fileDeadLetters, type WebhooksOptions } from '../src/index.ts';
import { type Received, receiver, rudeReceiver } from './support/receiver.ts';
import { comes, hooked, loopback, newSecret, root, site } from './support/site.ts';

const secret = newSecret();
const settled = { secrets: [secret], networks: loopback, events: ['order.settled'] as const };

/** One message, sent to this URL. */
async function oneMessage(url: string, options: Partial<WebhooksOptions> = {}) {
  const { ks, agent, kill } = await site();
  const hooks = hooked(ks, { endpoints: [{ url, name: 'ops', ...settled }], ...options });
  await agent('a1');
  await kill('a1');
  return hooks;
}

const verified = ({ headers, body }: Received): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>);

test('what fails is tried again under the same id, until it is delivered', async () => {
  const there = await receiver((response, _, n) => response.writeHead(n < 2 ? 500 : 200).end());
  const hooks = await oneMessage(there.url);
  await there.until(3);
  const [first, ...again] = there.received as [Received, ...Received[]];
  for (const request of again) {
    expect(request.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(request.body).toEqual(first.body);
    verified(request);
  }
  await comes(() =>
    expect(hooks.status()).toMatchObject([{ state: 'open', waiting: 0, delivered: 1, dead: 0 }]),
  );
  expect(await hooks.deadLetters()).toEqual([]);
  expect(hooks.troubles).toEqual([]);
});

test('what was tried often enough is a dead letter, can be read, and is delivered when it is sent again', async () => {
  let isWell = false;
  const there = await receiver((response) => response.writeHead(isWell ? 204 : 503).end());
  const hooks = await oneMessage(there.url);
  await there.until(3);
  await comes(() =>
    expect(hooks.status()).toMatchObject([{ waiting: 0, dead: 1, lastError: 'answered 503' }]),
  );
  const [letter] = await hooks.deadLetters();
  expect(letter).toMatchObject({ endpoint: 'ops', type: 'order.settled', tries: 3, error: 'answered 503' });
  expect(hooks.troubles).toEqual(['Webhook endpoint "ops": messages become dead letters: answered 503']);
  isWell = true;
  expect(await hooks.retry([letter?.letterId ?? ''])).toBe(1);
  await there.until(4);
  expect(there.received[3]?.headers['webhook-id']).toBe(letter?.messageId);
  verified(there.received[3] as Received);
  await comes(async () => expect(await hooks.deadLetters()).toEqual([]));
});

test('a connection that was kept and is gone by the next message is made anew at once', async () => {
  const paths: string[] = [];
  const there = await rudeReceiver((socket) => {
    let asked = 0;
    socket.on('data', (chunk) => {
      paths.push(String(chunk).slice(0, 4));
      asked += 1;
      // As a router does that has forgotten the connection.
      if (asked > 1) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
  });
  const { ks, agent, kill } = await site();
  // There is no second try.
  const hooks = hooked(ks, { endpoints: [{ url: there.url, ...settled }], retry: { tries: 1 } });
  for (const n of [1, 2, 3]) {
    await agent(`a${n}`);
    await kill(`a${n}`);
    await comes(() => expect(hooks.status()).toMatchObject([{ waiting: 0, delivered: n }]));
  }
  expect(paths).toHaveLength(5);
});

test('Retry-After is honoured, for all messages of the endpoint', async () => {
  const at: number[] = [];
  const there = await receiver((response, _, n) => {
    at.push(performance.now());
    response.writeHead(n === 0 ? 429 : 200, n === 0 ? { 'retry-after': '1' } : {}).end();
  });
  const { ks, agent, kill } = await site();
  const hooks = hooked(ks, { endpoints: [{ url: there.url, ...settled }], atOnce: 1 });
  await agent('a1');
  await agent('a2');
  await kill('a1');
  await there.until(1);
  await comes(() => expect(hooks.status()).toMatchObject([{ lastError: 'answered 429' }]));
  await kill('a2');
  await there.until(3);
  for (const time of at.slice(1)) expect(time - (at[0] ?? 0)).toBeGreaterThanOrEqual(990);
});

test('Retry-After keeps nothing waiting for longer than the longest pause', async () => {
  const there = await receiver((response, _, n) => {
    response.writeHead(n === 0 ? 503 : 200, n === 0 ? { 'retry-after': '31536000' } : {}).end();
  });
  await oneMessage(there.url, { retry: { tries: 3, firstMs: 10, longestMs: 50 } });
  await there.until(2);
});

test('410 ends it: what waits is dead, what comes is not sent; a retry opens it again', async () => {
  let isGone = true;
  const there = await receiver((response) => response.writeHead(isGone ? 410 : 200).end());
  const { ks, agent, kill } = await site();
  const hooks = hooked(ks, { endpoints: [{ url: there.url, name: 'ops', ...settled }], atOnce: 1 });
  for (const agentId of ['a1', 'a2', 'a3']) await agent(agentId);
  await kill('a1');
  await there.until(1);
  await comes(() => expect(hooks.status()).toMatchObject([{ state: 'gone', waiting: 0 }]));
  await kill('a2');
  expect(hooks.status()).toMatchObject([{ state: 'gone', waiting: 0, dead: 1 }]);
  expect(hooks.troubles[0]).toContain('answered 410');
  isGone = false;
  expect(await hooks.retry()).toBe(1);
  await there.until(2);
  await comes(() => expect(hooks.status()).toMatchObject([{ state: 'open', delivered: 1 }]));
  await kill('a3');
  await there.until(3);
});

test('only so many messages wait (I12); one more is a dead letter', async () => {
  const there = await receiver(() => undefined);
  const { ks, agent, kill } = await site();
  const hooks = hooked(ks, { endpoints: [{ url: there.url, ...settled }], mostWaiting: 3, atOnce: 1 });
  for (let n = 0; n < 5; n += 1) {
    await agent(`a${n}`);
    await kill(`a${n}`);
  }
  expect(hooks.status()).toMatchObject([{ waiting: 3, dead: 2 }]);
  await comes(async () =>
    expect(await hooks.deadLetters()).toMatchObject([
      { tries: 0, error: '3 messages waited already' },
      { tries: 0, error: '3 messages waited already' },
    ]),
  );
});

test('of a kill of thousands, what has no room is kept, the newest of it (I12)', async () => {
  const { ks, agent } = await site();
  const there = await receiver(() => undefined);
  const hooks = hooked(ks, {
    endpoints: [{ url: there.url, secrets: [secret], networks: loopback, events: ['agent.killed'] }],
    mostWaiting: 10,
  });
  for (let n = 0; n < 3_000; n += 1) await agent(`a${n}`);
  await ks.kill({ workspace: 'w' }, { principal: root, reason: 'all of them' });
  expect(hooks.status()).toMatchObject([{ waiting: 10, dead: 2_990 }]);
  await comes(async () => expect(await hooks.deadLetters()).toHaveLength(1_000));
  expect(hooks.troubles).toHaveLength(1);
});

test('a steady stream of facts is delivered while it goes on', async () => {
  const there = await receiver((response) => response.end());
  const time = manualClock();
  // As the machine's: no timer takes less than a millisecond.
  const clock: Clock = {
    now: () => Math.floor(time.now()),
    setTimer: (ms, fire) => time.setTimer(Math.max(1, ms), fire),
  };
  const { ks, agent, kill, audit } = await site();
  await agent('a1');
  await kill('a1');
  const event = audit.events().find(({ type }) => type === 'order.settled') as AuditEvent;
  const listeners: Array<(told: KillswitchEvents['audit']) => void> = [];
  const on = (_: string, listener: never) => {
    listeners.push(listener);
    return () => undefined;
  };
  hooked({ ...ks, on }, { endpoints: [{ url: there.url, ...settled }], clock });
  for (let told = 0; there.received.length < 3; told += 1) {
    if (told > 50_000) throw new Error('nothing is delivered as long as facts come');
    for (const listener of listeners) listener({ event: { ...event, id: `event-${told}` }, isCopy: false });
    await time.advance(0.5);
    await new Promise(setImmediate);
  }
});

test("the timestamp is that of the try, by the machine's clock, also when that was set back", async () => {
  const hourAgo = Date.now() - 3_600_000;
  const there = await receiver((response, _, n) => {
    vi.spyOn(Date, 'now').mockReturnValue(hourAgo + 10_000);
    response.writeHead(n === 0 ? 500 : 200).end();
  });
  const { ks, agent, kill } = await site();
  hooked(ks, { endpoints: [{ url: there.url, ...settled }] });
  await agent('a1');
  vi.spyOn(Date, 'now').mockReturnValue(hourAgo);
  await kill('a1');
  await there.until(2);
  vi.restoreAllMocks();
  expect(there.received.map(({ headers }) => headers['webhook-timestamp'])).toEqual([
    String(Math.floor(hourAgo / 1_000)),
    String(Math.floor(hourAgo / 1_000) + 10),
  ]);
});

test('closing delivers what is due, and keeps the rest', async () => {
  const there = await receiver((response, _, n) => n === 0 && response.writeHead(200).end());
  const { ks, agent, kill } = await site();
  const path = join(await temporary(), 'letters.jsonl');
  const endpoints = [{ url: there.url, name: 'ops', ...settled }];
  const hooks = hooked(ks, { endpoints, deadLetters: fileDeadLetters(path), atOnce: 1 });
  await agent('a1');
  await agent('a2');
  await kill('a1');
  await kill('a2');
  await comes(() => expect(hooks.status()).toMatchObject([{ delivered: 1 }]));
  await hooks.close(200);
  expect(hooks.status()).toMatchObject([{ state: 'closed', delivered: 1, dead: 1, waiting: 0 }]);
  // The next life of the process reads them.
  const later = await fileDeadLetters(path).list();
  expect(later).toMatchObject([{ endpoint: 'ops', error: 'closed before it was known to be delivered' }]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('once it is closed nothing is on its way any more, whatever is asked for', async () => {
  const there = await receiver((response) => response.writeHead(500).end());
  const hooks = await oneMessage(there.url, { retry: { tries: 1 } });
  await comes(() => expect(hooks.status()).toMatchObject([{ waiting: 0, dead: 1 }]));
  const closing = hooks.close();
  expect(await hooks.retry()).toBe(0);
  await closing;
  expect(await hooks.retry()).toBe(0);
  expect(await hooks.deadLetters()).toHaveLength(1);
  expect(there.received).toHaveLength(1);
});

test('however long closing may take, it takes no longer than what is due', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  const there = await receiver((response) => asked.resolve(response));
  const hooks = await oneMessage(there.url);
  const response = await asked.promise;
  const closing = hooks.close(Number.POSITIVE_INFINITY);
  response.end();
  await closing;
  expect(hooks.status()).toMatchObject([{ state: 'closed', delivered: 1, dead: 0 }]);
});

test('a letter is on its way once, however often it is asked for, and stays where it is if there is no room', async () => {
  let isWell = false;
  const waiting: ServerResponse[] = [];
  const there = await receiver((response) => {
    if (isWell) waiting.push(response);
    else response.writeHead(500).end();
  });
  const hooks = await oneMessage(there.url, { retry: { tries: 1 }, mostWaiting: 1 });
  await comes(() => expect(hooks.status()).toMatchObject([{ waiting: 0, dead: 1 }]));
  isWell = true;
  expect(await Promise.all([hooks.retry(), hooks.retry()])).toEqual([1, 1]);
  await there.until(2);
  expect(await hooks.retry()).toBe(1);
  expect(hooks.status()).toMatchObject([{ waiting: 1, dead: 1 }]);
  for (const response of waiting) response.end();
  await comes(async () => expect(await hooks.deadLetters()).toEqual([]));
  expect(there.received).toHaveLength(2);
});

test('what was given to be called back may do what it wants', async () => {
  const there = await receiver((response) => response.writeHead(500).end());
  const hooks = await oneMessage(there.url, {
    retry: { tries: 2, firstMs: 10 },
    async onTrouble() {
      throw new Error('nobody is listening');
    },
    chance() {
      throw new Error('no dice');
    },
  });
  await comes(() => expect(hooks.status()).toMatchObject([{ waiting: 0, dead: 1 }]));
  expect(await hooks.deadLetters()).toMatchObject([{ tries: 2, error: 'answered 500' }]);
});

test('dead letters that cannot be kept are named, and nothing else is disturbed', async () => {
  const there = await receiver((response) => response.writeHead(500).end());
  const hooks = await oneMessage(there.url, { deadLetters: fileDeadLetters('/proc/none/letters.jsonl') });
  await comes(() =>
    expect(hooks.troubles).toContainEqual(expect.stringContaining('/proc/none/letters.jsonl')),
  );
  // They are in memory all the same.
  await expect(hooks.retry()).resolves.toBe(1);
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'killswitch-webhooks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
