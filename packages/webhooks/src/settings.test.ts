import { InvalidConfigurationError } from '@agent-killswitch/core';
import { expect, test } from 'vitest';
import type { WebhooksOptions } from './options.ts';
import { settingsOf } from './settings.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const good = { url: 'https://hooks.example/T0/B0/secret-path', secrets: [secret] };

function faultsOf(options: unknown): readonly string[] {
  try {
    settingsOf(options as WebhooksOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidConfigurationError);
    return (error as InvalidConfigurationError).issues;
  }
  return [];
}

test('an endpoint needs a URL and a secret; the rest has defaults', () => {
  const { endpoints, retry, attemptMs, mostWaiting, atOnce } = settingsOf({ endpoints: [good] });
  expect(endpoints).toMatchObject([{ name: 'hooks.example', redirects: 0 }]);
  expect({ retry, attemptMs, mostWaiting, atOnce }).toEqual({
    retry: { tries: 10, firstMs: 5_000, longestMs: 43_200_000 },
    attemptMs: 15_000,
    mostWaiting: 10_000,
    atOnce: 4,
  });
});

test.each([
  'nonsense',
  '',
  'ftp://hooks.example/secret-path',
  'javascript:alert(1)',
  'http://hooks.example/secret-path',
  'https://user:password@hooks.example/secret-path',
  'https://hooks.example/secret-path#part',
  'https://127.0.0.1/secret-path',
  'https://127.1/secret-path',
  'https://0x7f000001/secret-path',
  'https://2130706433/secret-path',
  'https://0177.0.0.1/secret-path',
  'https://127.0.0.1./secret-path',
  'https://①②⑦.0.0.1/secret-path',
  'https://0/secret-path',
  'https://10.1/secret-path',
  'https://[::]/secret-path',
  'https://[::1]/secret-path',
  'https://[fe80::1]/secret-path',
  'https://[fd00:ec2::254]/secret-path',
  'https://[64:ff9b::a9fe:a9fe]/secret-path',
  'https://[::ffff:a9fe:a9fe]/secret-path',
  'https://hooks.example:0x1bb/secret-path',
  'https://[::ffff:127.0.0.1]/secret-path',
  'https://169.254.169.254/latest/meta-data/secret-path',
  `https://hooks.example/${'x'.repeat(3_000)}`,
])('%j is no URL to send to', (url) => {
  const [fault, ...others] = faultsOf({ endpoints: [{ ...good, url }] });
  expect(fault).toMatch(/^webhooks endpoints\.0\.url: \S/);
  expect(others).toEqual([]);
  expect(fault).not.toMatch(/secret-path|password/);
});

test('what was named for it may be sent to, also without encryption', () => {
  expect(
    faultsOf({ endpoints: [{ ...good, url: 'http://127.0.0.1:3000/', networks: ['127.0.0.0/8'] }] }),
  ).toEqual([]);
  expect(
    faultsOf({ endpoints: [{ ...good, url: 'http://10.0.0.1/', networks: ['127.0.0.0/8'] }] }),
  ).toHaveLength(1);
});

test('every fault is listed, and none shows a URL or a secret', () => {
  const faults = faultsOf({
    endpoints: [
      {
        url: 'nonsense://secret-path',
        secrets: ['whsec_c2VjcmV0'],
        name: 'a b',
        events: ['agent.born'],
        networks: ['x'],
        redirects: 9,
      },
      { url: good.url, secrets: [], more: 1 },
      'https://hooks.example/secret-path',
    ],
    retry: { tries: 0, firstMs: -1 },
    attemptMs: 'soon',
    mostWaiting: 0,
    deadLetters: {},
    onTrouble: 'console',
    colour: 'red',
  });
  for (const about of [
    'endpoints.0.url',
    'endpoints.0.secrets.0',
    'endpoints.0.name',
    'endpoints.0.events.0',
    'endpoints.0.networks.0',
    'endpoints.0.redirects',
    'endpoints.1.secrets',
    'endpoints.1:',
    'endpoints.2:',
    'retry.tries',
    'retry.firstMs',
    'attemptMs',
    'mostWaiting',
    'deadLetters',
    'onTrouble',
    'colour',
  ])
    expect(faults.filter((fault) => fault.includes(about))).toHaveLength(1);
  expect(faults.join()).not.toMatch(/secret-path|c2VjcmV0/);
});

test.each([undefined, null, 'https://hooks.example', [], {}, { endpoints: [] }, { endpoints: {} }])(
  '%j is refused',
  (options) => expect(faultsOf(options).length).toBeGreaterThan(0),
);

test('options that cannot be read are refused', () => {
  const broken = {
    get endpoints(): never {
      throw new Error('not today');
    },
  };
  expect(faultsOf(broken)).toEqual(['webhooks options: cannot be read: Error: not today']);
});

test('two endpoints of one name are refused', () => {
  expect(faultsOf({ endpoints: [good, { ...good, url: 'https://hooks.example/other' }] })).toEqual([
    'webhooks endpoints: two are named "hooks.example": give each a name of its own',
  ]);
  expect(faultsOf({ endpoints: [good, { ...good, name: 'second' }] })).toEqual([]);
});
