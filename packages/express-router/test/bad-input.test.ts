/** What no client should send, at every route of the table, by somebody who may do everything: nothing comes of it. */
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { sendRaw } from './support/raw-request.ts';
import { type AnyRoute, namedRoutes, routes } from './support/routes.ts';
import { openSite, type Site } from './support/site.ts';

let site: Site;
beforeEach(async () => {
  site = await openSite();
  await site.agent('mine');
});
afterEach(async () => {
  const { items } = await site.ks.list({ everything: true }, { limit: 10 });
  const { gates, openOrders } = await site.ks.status();
  const events = site.audit.events();
  await site.close();
  expect(items).toMatchObject([{ agentId: 'mine', status: 'running' }]);
  expect({ gates, openOrders, events }).toEqual({ gates: [], openOrders: [], events: [] });
});

const good = '{"reason":"it went rogue"}';
const json = { 'content-type': 'application/json' };

/** A path of something that is there, so that only the fault is in the way. */
const pathOf = ({ path }: AnyRoute) =>
  path
    .replace('/tasks/:id', '/tasks/task-mine')
    .replace('/workspaces/:id', '/workspaces/w')
    .replace(':agentId', 'mine')
    .replace(':id', 'local');

interface Sent {
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** The status and code of the problem that comes back. */
async function ask(route: AnyRoute, { query = '', headers = {}, body }: Sent): Promise<[number, string]> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method } = route;
    const length = 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body ?? '') };
    const all = { authorization: 'Bearer root', ...length, ...headers };
    const asked = request(site.url + pathOf(route) + query, { method, headers: all }, resolve);
    asked.on('error', reject).end(body);
  });
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  return [response.statusCode ?? 0, JSON.parse(await text(response)).code];
}

describe.each(namedRoutes)('%s', (_, route) => {
  it('refuses a parameter that is given twice, that there is not, or that is in the path', async () => {
    const body = route.body === undefined ? {} : { headers: json, body: good };
    for (const name of Object.keys(route.query.shape))
      for (const value of ['true', 'w'])
        expect(await ask(route, { ...body, query: `?${name}=${value}&${name}=${value}` })).toEqual([
          400,
          'invalid-input',
        ]);
    for (const name of ['preveiw', 'reason[]', '__proto__', 'principal', ...Object.keys(route.params.shape)])
      expect(await ask(route, { ...body, query: `?${name}=mine` })).toEqual([400, 'invalid-input']);
  });

  it('refuses a body with a member twice, unknown ones, or no members', async () => {
    const twice = [
      '{"reason":"x","reason":"y"}',
      '{"a":[{"b":1,"b":1}]}',
      '{"reason":"x","re\\u0061son":"y"}',
    ];
    for (const body of twice)
      expect(await ask(route, { headers: json, body })).toEqual([400, 'malformed-request']);
    if (route.body === undefined) return;
    for (const body of ['{"reason":"x","id":"local"}', '[]', '"x"', '1', '{"reason":["x","y"]}'])
      expect(await ask(route, { headers: json, body })).toEqual([400, 'invalid-input']);
  });

  it('refuses an address and a body that do not say the same', async () => {
    const inBody = route.body === undefined ? {} : (route.body as z.ZodObject).shape;
    for (const name of Object.keys(route.query.shape).filter((each) => each in inBody)) {
      const body = JSON.stringify({ reason: 'x', [name]: 'one' });
      expect(await ask(route, { query: `?${name}=other`, headers: json, body })).toEqual([
        400,
        'invalid-input',
      ]);
    }
  });

  it('refuses a body that is not JSON in UTF-8, or does not say so', async () => {
    const others = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/jsonp',
      'application/json; charset=utf-16',
      'application/json;charset="iso-8859-1"',
      '*/*',
      '',
    ];
    for (const type of others)
      expect(await ask(route, { headers: { 'content-type': type }, body: good })).toEqual([
        415,
        'unsupported-media-type',
      ]);
    expect(await ask(route, { body: good })).toEqual([415, 'unsupported-media-type']);
    for (const coding of ['gzip', 'br', 'x-none'])
      expect(
        await ask(route, { headers: { ...json, 'content-encoding': coding }, body: gzipSync(good) }),
      ).toEqual([415, 'unsupported-media-type']);
    for (const body of [Buffer.from('{"reason":"verr\xfcckt"}', 'latin1'), '{"reason":', '\u0000', '{}{}'])
      expect(await ask(route, { headers: json, body })).toEqual([400, 'malformed-request']);
    for (const headers of [json, { ...json, 'transfer-encoding': 'chunked' }])
      expect(await ask(route, { headers, body: `"${'x'.repeat(17_000)}"` })).toEqual([413, 'body-too-large']);
  });

  it('does nothing for a body whose chunks are none', async () => {
    const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;
    const bodies = [
      `zz\r\n${good}\r\n0\r\n\r\n`,
      `-1\r\n${good}\r\n0\r\n\r\n`,
      `1\r\n${good}\r\n0\r\n\r\n`,
      `${'f'.repeat(17)}\r\n${good}\r\n0\r\n\r\n`,
      `1a;${'x'.repeat(20_000)}\r\n${good}\r\n0\r\n\r\n`,
      `${good}`,
      chunk(good).slice(0, -4),
      `${chunk(good)}0\r\n`,
      `${chunk(`${good}}`)}0\r\n\r\n`,
    ];
    const answers = bodies.map((body) =>
      sendRaw(site.url, headOf(route, 'Transfer-Encoding: chunked') + body),
    );
    const both = `Transfer-Encoding: chunked\r\nContent-Length: ${good.length}`;
    answers.push(sendRaw(site.url, `${headOf(route, both)}${chunk(good)}0\r\n\r\n`));
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  });
});

describe('a body that does not come', () => {
  it('is answered after 5 s at every route, and the connection is closed', async () => {
    const ways = ['Content-Length: 20', 'Transfer-Encoding: chunked'];
    const parts = ['{"reason"', '9\r\n{"reason"\r\n'];
    const answers = routes.flatMap((route) =>
      ways.map((way, n) => sendRaw(site.url, headOf(route, way) + parts[n], { isAll: false })),
    );
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toContain('"code":"request-timeout"');
    }
  }, 20_000);
});

function headOf(route: AnyRoute, framing: string): string {
  const path = new URL(site.url + pathOf(route)).pathname;
  return [
    `${route.method} ${path} HTTP/1.1`,
    'Host: h',
    'Authorization: Bearer root',
    'Content-Type: application/json',
    framing,
    '\r\n',
  ].join('\r\n');
}
