import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Strangers } from '../src/strangers.ts';
import { openSite, reason, type Site } from './support/site.ts';

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.close());

describe('whoever is not known', () => {
  it('is told to wait after 50 attempts; whoever is known from the same address never is', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      const { status, headers } = await site.call('stranger', 'POST', '/emergency-stop', { reason });
      statuses.push(status);
      expect(headers.get('retry-after')).toBe(status === 429 ? '10' : null);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(50);
    expect(statuses.at(-1)).toBe(429);
    expect(await site.call('root', 'POST', '/emergency-stop', { reason })).toMatchObject({ status: 200 });
  });

  it('has 50 attempts at all routers together', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      const path = i % 2 === 0 ? '/status' : '/agents/kill-all';
      statuses.push((await site.call('stranger', i % 2 === 0 ? 'GET' : 'POST', path)).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(50);
  });

  it.each([
    ['2001:db8::1', '2001:db8:0:0:ffff::2', true],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', true],
    ['::1', '::2', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['10.0.0.1', '10.0.0.2', false],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
  ])('from %s and %s is the same: %s', (one, other, isSame) => {
    const strangers = new Strangers();
    for (let i = 0; i < 50; i += 1) strangers.isTooMany(one);
    expect(strangers.isTooMany(other)).toBe(isSame);
  });
});

describe('a request with a cookie', () => {
  const ask = (headers: Record<string, string>, body?: string) =>
    fetch(`${site.url}/emergency-stop?preview=true`, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
    });

  it('that a form of another site could have sent is refused', async () => {
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
    ]) {
      const response = await ask({ cookie: 'who=root', 'content-type': type }, 'reason=x');
      expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({
        status: 403,
        code: 'cross-site-request',
      });
    }
    expect((await ask({ cookie: 'who=root' })).status).toBe(403);
  });

  it("is taken with JSON or a header of one's own, and to look", async () => {
    expect((await ask({ cookie: 'who=root', 'content-type': 'application/json' }, '{}')).status).toBe(200);
    expect((await ask({ cookie: 'who=root', 'x-killswitch-request': '1' })).status).toBe(200);
    expect(await fetch(`${site.url}/status`, { headers: { cookie: 'who=root' } })).toMatchObject({
      status: 200,
    });
  });
});

describe('a body that does not come', () => {
  it('is answered after 5 s, and nothing is stopped', async () => {
    const { hostname, port } = new URL(site.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /kill/emergency-stop HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer root\r\n' +
        'Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"reason"',
    );
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      text += chunk;
      if (text.includes('request-timeout')) break;
    }
    expect(text).toContain('HTTP/1.1 408');
    expect((await site.ks.status()).gates).toEqual([]);
  }, 15_000);
});
