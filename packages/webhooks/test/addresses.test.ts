/** Nothing is sent to where it must not go, whatever names resolve to. */
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { Resolve, WebhookEndpoint } from '../src/index.ts';
import { certificate, privateKey } from './support/certificate.ts';
import { receiver } from './support/receiver.ts';
import { comes, hooked, loopback, newSecret, site } from './support/site.ts';

const to = (...addresses: readonly string[]): LookupAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

/** Sends one message to an endpoint that is given no second try. */
async function send(
  endpoint: Omit<WebhookEndpoint, 'secrets'>,
  resolve?: Resolve,
  { tries = 1, attemptMs = 10_000 } = {},
) {
  const { ks, agent, kill } = await site();
  const hooks = hooked(ks, {
    endpoints: [{ secrets: [newSecret()], events: ['order.settled'], ...endpoint }],
    retry: { tries, firstMs: 5, longestMs: 10 },
    attemptMs,
    ...(resolve === undefined ? {} : { resolve }),
  });
  await agent('a1');
  await kill('a1');
  await comes(() => expect(hooks.status()).toMatchObject([{ waiting: 0 }]));
  return hooks.status()[0];
}

test.each([
  ['loopback', ['127.0.0.1']],
  ['a private network', ['10.0.0.8']],
  ["a cloud's metadata", ['169.254.169.254']],
  ["another cloud's", ['168.63.129.16']],
  ['loopback of IPv6', ['::1']],
  ['a unique local address', ['fd00:ec2::254']],
  ['loopback as mapped into IPv6', ['::ffff:127.0.0.1']],
  ['the same in hexadecimal', ['::ffff:7f00:1']],
  ['loopback behind NAT64', ['64:ff9b::7f00:1']],
  ['this host', ['0.0.0.0']],
  ['a public one and a private one', ['93.184.216.34', '192.168.1.1']],
  ['nothing', []],
  ['what is no address', ['localhost']],
])('a name that resolves to %s is refused', async (_, addresses) => {
  const here = await receiver((response) => response.end());
  const status = await send({ url: `https://hooks.example:${here.port}/` }, async () => to(...addresses));
  expect(status).toMatchObject({
    delivered: 0,
    dead: 1,
    lastError: expect.stringMatching(/not public|has no address/),
  });
  expect(here.connections).toBe(0);
});

test('what is connected to is the address that was looked at: no name is looked up twice (DNS rebinding)', async () => {
  const here = await receiver((response) => response.end());
  const there = await receiver(
    (response) => response.writeHead(500, { connection: 'close' }).end(),
    '127.0.0.2',
    here.port,
  );
  const asked: string[] = [];
  // Allowed for whoever looks first, forbidden for whoever looks again.
  const answers = ['127.0.0.2', '127.0.0.1'];
  const status = await send(
    { url: `http://rebinding.example:${here.port}/`, networks: ['127.0.0.2'] },
    async (name) => {
      asked.push(name);
      return to(answers[asked.length - 1] ?? '127.0.0.1');
    },
    { tries: 2 },
  );
  expect(there.received).toHaveLength(1);
  expect(here.connections).toBe(0);
  expect(asked).toHaveLength(2);
  expect(status).toMatchObject({
    delivered: 0,
    lastError: expect.stringContaining('127.0.0.1 is not public'),
  });
});

test.each([
  ['hangs', () => new Promise<never>(() => undefined)],
  [
    'throws',
    () => {
      throw new Error('no such name');
    },
  ],
  ['answers nonsense', async () => [{}, null] as never],
  ['answers nothing', async () => undefined as never],
] as ReadonlyArray<readonly [string, Resolve]>)(
  'a resolver that %s is a failed attempt',
  async (_, resolve) => {
    const status = await send({ url: 'https://hooks.example/' }, resolve, { attemptMs: 500 });
    expect(status).toMatchObject({ delivered: 0, dead: 1, lastError: expect.stringMatching(/./) });
  },
);

test('a name is asked for by the resolver that was given, and its address connected to', async () => {
  const here = await receiver((response) => response.end());
  const asked: string[] = [];
  const status = await send(
    { url: `http://hooks.example:${here.port}/a?b`, networks: loopback },
    async (name) => {
      asked.push(name);
      return to('127.0.0.1');
    },
  );
  expect(status).toMatchObject({ delivered: 1 });
  expect(asked).toEqual(['hooks.example']);
  expect(here.received).toMatchObject([{ path: '/a?b', headers: { host: `hooks.example:${here.port}` } }]);
});

test('a redirect is a failure, and its target hears nothing', async () => {
  const target = await receiver((response) => response.end());
  const here = await receiver((response) => response.writeHead(307, { location: target.url }).end());
  const status = await send({ url: here.url, networks: loopback });
  expect(status).toMatchObject({ dead: 1, lastError: 'answered 307: redirects are not followed' });
  expect(target.connections).toBe(0);
});

test('where redirects are followed, each is looked at', async () => {
  const [target, elsewhere] = [
    await receiver((response) => response.end()),
    await receiver((response) => response.end(), '127.0.0.2'),
  ];
  const places = {
    '/good': target.url,
    '/bad': elsewhere.url,
    '/script': 'file:///etc/passwd',
    '/again': '/again',
  };
  const here = await receiver((response, { path }) =>
    response.writeHead(308, { location: places[path as keyof typeof places] }).end(),
  );
  const followed = (path: keyof typeof places) =>
    send({ url: `http://127.0.0.1:${here.port}${path}`, networks: loopback, redirects: 2 });
  expect(await followed('/good')).toMatchObject({ delivered: 1 });
  expect(target.received[0]?.headers['webhook-signature']).toMatch(/^v1,/);
  expect(await followed('/bad')).toMatchObject({
    delivered: 0,
    lastError: expect.stringContaining('127.0.0.2 is not public'),
  });
  expect(elsewhere.connections).toBe(0);
  expect(await followed('/script')).toMatchObject({ delivered: 0 });
  const before = here.received.length;
  expect(await followed('/again')).toMatchObject({ delivered: 0 });
  expect(here.received.length - before).toBe(3);
});

test('over TLS, the name in the URL has to be on a certificate that is trusted', async () => {
  const named: unknown[] = [];
  const server = createTlsServer({ cert: certificate, key: privateKey }, (request, response) => {
    named.push((request.socket as TLSSocket).servername);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const sendTo = (host: string) =>
    send({ url: `https://${host}:${port}/`, networks: loopback }, async () => to('127.0.0.1'));
  expect(await sendTo('hooks.example')).toMatchObject({
    delivered: 0,
    lastError: expect.stringContaining('self-signed'),
  });
  setDefaultCACertificates([...getCACertificates('default'), certificate]);
  expect(await sendTo('hooks.example')).toMatchObject({ delivered: 1 });
  expect(await sendTo('elsewhere.example')).toMatchObject({ delivered: 0 });
  expect(await sendTo('127.0.0.1')).toMatchObject({ delivered: 0 });
  expect(named).toEqual(['hooks.example']);
});

test('a public address is connected to by HTTPS only', async () => {
  const status = await send({ url: 'http://hooks.example/', networks: loopback }, async () =>
    to('93.184.216.34'),
  );
  expect(status).toMatchObject({ delivered: 0, lastError: expect.stringContaining('https://') });
});
