/** What is sent is checked by the receivers' own library. */

import { type AuditEvent, auditEventSchema } from '@agent-killswitch/core';
import { manualClock, memoryAudit } from '@agent-killswitch/core/memory';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { type Received, receiver } from './support/receiver.ts';
import { hooked, loopback, newSecret, root, site, zoe } from './support/site.ts';

/** As a receiver does it. @throws WebhookVerificationError */
function verify(secret: string, { headers, body }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

const isAccepted = (secret: string, request: Received): boolean => {
  try {
    verify(secret, request);
    return true;
  } catch {
    return false;
  }
};

/** A kill and everything that was sent of it. */
async function delivered(secrets: readonly string[]) {
  const { ks, agent, kill, audit } = await site();
  const there = await receiver((response) => response.writeHead(204).end());
  const hooks = hooked(ks, { endpoints: [{ url: there.url, secrets, networks: loopback }] });
  await agent('a1');
  await kill('a1');
  await there.until(audit.events().length);
  return { ks, hooks, audit, received: there.received };
}

test('a receiver accepts every fact of the record, each once, in order of type and time', async () => {
  const secret = newSecret();
  const { received, audit } = await delivered([secret]);
  const payloads = received.map(
    (request) => verify(secret, request) as { type: string; data: unknown; timestamp: string },
  );
  expect(payloads.map(({ data }) => auditEventSchema.parse(data)).toSorted(byId)).toEqual(
    audit.events().toSorted(byId),
  );
  for (const { type, timestamp, data } of payloads) expect(data).toMatchObject({ type, time: timestamp });
  expect(payloads.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['order.requested', 'agent.killed', 'order.settled']),
  );
  const ids = received.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(received[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'agent-killswitch',
  });
});

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

test('while a secret is rotated, a receiver with the old one accepts, and one with the new one does', async () => {
  const [older, newer, other] = [newSecret(), newSecret(), newSecret()];
  const { received } = await delivered([newer, older]);
  for (const request of received) {
    expect(isAccepted(older, request)).toBe(true);
    expect(isAccepted(newer, request)).toBe(true);
    expect(isAccepted(other, request)).toBe(false);
    expect(String(request.headers['webhook-signature']).split(' ')).toHaveLength(2);
  }
});

test('whatever somebody writes stands in the body alone, and arrives as it was', async () => {
  const secret = newSecret();
  const { ks, agent } = await site();
  const there = await receiver((response) => response.end());
  hooked(ks, {
    endpoints: [{ url: there.url, secrets: [secret], networks: loopback, events: ['order.requested'] }],
  });
  await agent('a1');
  const reason = 'it\r\nwebhook-id: msg_x\r\nx-more: 1\r\n\r\n{"type":"x"}.\u2028 größer 😀 \\';
  await ks.kill({ task: 'task-a1' }, { principal: root, reason });
  await there.until(1);
  const [request] = there.received as [Received];
  expect(verify(secret, request)).toMatchObject({ data: { reason } });
  expect(Object.keys(request.headers).toSorted()).toEqual([
    'connection',
    'content-length',
    'content-type',
    'host',
    'user-agent',
    'webhook-id',
    'webhook-signature',
    'webhook-timestamp',
  ]);
});

test('an outage of the record is told when it begins and when it is over, and not at every try in between', async () => {
  const clock = manualClock();
  const sink = memoryAudit();
  let isDown = true;
  const append = (events: readonly AuditEvent[]): Promise<void> =>
    isDown ? Promise.reject(new Error('the disk is full')) : sink.append(events);
  const { ks } = await site({ clock, audit: { ...sink, append } });
  const there = await receiver((response) => response.end());
  const events = ['audit.degraded', 'audit.restored'] as const;
  const endpoints = [{ url: there.url, secrets: [newSecret()], networks: loopback, events }];
  hooked(ks, { endpoints, atOnce: 1 });
  for (let outage = 0; outage < 2; outage += 1) {
    isDown = true;
    void ks.emergencyStop({ principal: root, reason: 'drill' });
    await clock.advance(20_000);
    isDown = false;
    await clock.advance(20_000);
  }
  await there.until(4);
  expect(there.received.map(({ body }) => JSON.parse(String(body)).type)).toEqual([...events, ...events]);
  expect(JSON.parse(String(there.received[0]?.body)).data).toMatchObject({
    error: 'Error: the disk is full',
  });
});

test('denials and releases are told too', async () => {
  const { ks, agent } = await site();
  const there = await receiver((response) => response.writeHead(200).end('thanks'));
  hooked(ks, {
    endpoints: [
      {
        url: there.url,
        secrets: [newSecret()],
        networks: loopback,
        events: ['request.denied', 'gate.released'],
      },
    ],
  });
  await agent('a1');
  await ks.kill({ task: 'task-a1' }, { principal: zoe, reason: 'mischief' }).catch(() => undefined);
  await ks.emergencyStop({ principal: root, reason: 'drill' });
  await ks.release({ everything: true }, { principal: root, reason: 'over' });
  await there.until(2);
  expect(there.received.map(({ body }) => JSON.parse(String(body)).type)).toEqual([
    'request.denied',
    'gate.released',
  ]);
});

describe('1,000 altered messages', () => {
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

  test('with any one byte of body, id, timestamp or signature changed are refused', async () => {
    const secret = newSecret();
    const { received } = await delivered([secret]);
    const pick = chance(20_261_121);
    const parts = ['body', 'webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
    const accepted: string[] = [];
    for (let round = 0; round < 1_000; round += 1) {
      const request = received[pick(received.length)] as Received;
      const part = parts[round % parts.length] as (typeof parts)[number];
      const bytes = Buffer.from(part === 'body' ? request.body : String(request.headers[part]));
      const place = pick(bytes.length);
      bytes[place] = (bytes[place] as number) ^ (1 + pick(255));
      const altered: Received =
        part === 'body'
          ? { ...request, body: bytes }
          : { ...request, headers: { ...request.headers, [part]: bytes.toString('latin1') } };
      if (isAccepted(secret, altered)) accepted.push(`round ${round}: ${part}, byte ${place}`);
    }
    expect(accepted).toEqual([]);
    expect(received.every((request) => isAccepted(secret, request))).toBe(true);
  });

  test('one that is sent again later is refused', async () => {
    const secret = newSecret();
    const { received } = await delivered([secret]);
    const [first] = received as [Received];
    const old = String(Number(first.headers['webhook-timestamp']) - 301);
    expect(isAccepted(secret, { ...first, headers: { ...first.headers, 'webhook-timestamp': old } })).toBe(
      false,
    );
  });
});
