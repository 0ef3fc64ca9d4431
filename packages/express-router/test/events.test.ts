import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventStreams } from '../src/event-stream.ts';
import { openSite, reason, type Site } from './support/site.ts';

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.close());

interface Heard {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly agentId?: string };
}

/** What is sent until it ends or `until` says so. */
async function listen(
  path: string,
  headers: Record<string, string> = {},
  until = (_: Heard[]) => false,
): Promise<Heard[]> {
  const request = get(site.url + path, { headers: { authorization: 'Bearer root', ...headers } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  let text = '';
  const heard = (): Heard[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => !block.startsWith(':'))
      .map((block) => {
        const [id = '', event = '', data = ''] = block
          .split('\n')
          .map((line) => line.slice(line.indexOf(':') + 2));
        return { id, event, data: JSON.parse(data) };
      });
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (until(heard())) break;
  }
  request.destroy();
  return heard();
}

describe('the events of an order', () => {
  it('tell each step of each agent, once and in order, and end when it has settled', async () => {
    for (const id of ['a', 'b', 'c']) await site.agent(id);
    const { body } = await site.call('root', 'POST', '/emergency-stop', { reason });
    const heard = await listen(`/orders/${body.orderId}/events`);
    expect(heard[0]).toMatchObject({ event: 'placed', data: { orderId: body.orderId, reason } });
    expect(heard.at(-1)).toMatchObject({ event: 'settled', data: { total: 3, killed: 3, failed: 0 } });
    for (const id of ['a', 'b', 'c']) {
      const steps = heard.filter(({ data }) => data.agentId === id).map(({ event }) => event);
      expect(steps).toEqual(['requested', 'signalled', 'confirmed']);
    }
    expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length);
  });

  it('come as they happen', async () => {
    await site.agent('a', { behaviour: 'immortal' });
    const { body } = await site.call('root', 'POST', '/tasks/task-a/kill', { reason });
    const early = await listen(`/orders/${body.orderId}/events`, {}, (all) =>
      all.some(({ event }) => event === 'forced'),
    );
    expect(early.map(({ event }) => event)).toEqual(['placed', 'requested', 'signalled', 'forced']);
    const named = await listen(
      `/orders/${body.orderId}/events`,
      { 'Last-Event-ID': early.at(-1)?.id ?? '' },
      (all) => all.some(({ event }) => event === 'unconfirmed'),
    );
    expect(named.at(-1)).toMatchObject({ event: 'unconfirmed', data: { agentId: 'a' } });
    expect(named.map(({ id }) => id)).not.toContain(early.at(-1)?.id);
  }, 20_000);

  it.each(['', 'nonsense', '99999999999999999999.1.x', '-1.0.'])(
    'begin at the start for a Last-Event-ID "%s"',
    async (id) => {
      await site.agent('a');
      const { body } = await site.call('root', 'POST', '/tasks/task-a/kill', { reason });
      const heard = await listen(`/orders/${body.orderId}/events`, { 'Last-Event-ID': id });
      expect(heard.map(({ event }) => event)).toEqual([
        'placed',
        'requested',
        'signalled',
        'confirmed',
        'settled',
      ]);
    },
  );

  it('are for whoever may read the order; a foreign one looks unknown (I11)', async () => {
    await site.agent('a');
    const { body } = await site.call('root', 'POST', '/tasks/task-a/kill', { reason });
    const foreign = await site.call('eve', 'GET', `/orders/${body.orderId}/events`);
    const unknown = await site.call('eve', 'GET', '/orders/ord_none/events');
    for (const { status, body } of [foreign, unknown])
      expect({ status, code: body.code }).toEqual({ status: 404, code: 'unknown-target' });
  });

  it('are read once, however many listen to them', async () => {
    await site.agent('a', { behaviour: 'immortal' });
    const { body } = await site.call('root', 'POST', '/tasks/task-a/kill', { reason });
    const reading = vi.spyOn(site.ks, 'report');
    const streams = await Promise.all(Array.from({ length: 40 }, () => open(body.orderId)));
    for (const stream of streams) expect(String((await once(stream, 'data'))[0])).toContain('event: placed');
    // Each of them made it be read before.
    expect(reading.mock.calls.length).toBeLessThan(40);
    for (const stream of streams) stream.destroy();
  });

  it('are for all: nobody takes every place, and who only asks for the headers takes none', async () => {
    await site.agent('a', { behaviour: 'immortal' });
    const { body } = await site.call('root', 'POST', '/tasks/task-a/kill', { reason });
    const path = `/orders/${body.orderId}/events`;
    for (let i = 0; i < 60; i += 1) {
      const head = await fetch(site.url + path, {
        method: 'HEAD',
        headers: { authorization: 'Bearer mia' },
      });
      expect(head.headers.get('cache-control')).toBe('no-store, no-transform');
    }
    const streams = await Promise.all(Array.from({ length: 50 }, () => open(body.orderId, 'mia')));
    expect(await site.call('mia', 'GET', path)).toMatchObject({
      status: 503,
      body: { code: 'too-many-streams' },
    });
    (await open(body.orderId, 'ada')).destroy();
    for (const stream of streams) stream.destroy();
  });

  it('end for whoever may not listen any more, and for nobody else', async () => {
    const streams = new EventStreams(10);
    const revoked = new Set<string>();
    const ended = Promise.withResolvers<string>();
    const app = express().use((request, response) => {
      const id = request.path;
      const mayListen = async () => !revoked.has(id);
      const events = async function* (signal: AbortSignal) {
        yield [{ id: '1', event: 'placed', data: {} }];
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        ended.resolve(id);
      };
      void streams.send(request, response, { id, mayListen }, events);
    });
    const server = createServer(app);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const [one, other] = await Promise.all(
      ['/one', '/other'].map(async (path) => {
        const request = get({ port, path, agent: false });
        return ((await once(request, 'response')) as [IncomingMessage])[0]
          .on('error', () => undefined)
          .resume();
      }),
    );
    revoked.add('/one');
    await new Promise((resolve) => (one?.closed ? resolve(undefined) : one?.once('close', resolve)));
    expect(await ended.promise).toBe('/one');
    expect(other?.closed).toBe(false);
    server.closeAllConnections();
    server.close();
  });

  async function open(orderId: string, who = 'root'): Promise<IncomingMessage> {
    const request = get(`${site.url}/orders/${orderId}/events`, {
      headers: { authorization: `Bearer ${who}` },
      agent: false,
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    return response.on('error', () => undefined);
  }

  it('that nobody listens to any more cost nothing, and abort nothing (I8)', async () => {
    await site.agent('a', { behaviour: 'immortal' });
    const { body } = await site.call('root', 'POST', '/tasks/task-a/kill', { reason });
    for (let i = 0; i < 300; i += 1) await listen(`/orders/${body.orderId}/events`, {}, () => true);
    expect(await listen(`/orders/${body.orderId}/events`, {}, () => true)).not.toEqual([]);
  });
});
