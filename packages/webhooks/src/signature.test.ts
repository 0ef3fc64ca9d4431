import { expect, test } from 'vitest';
import { keyOf, signedHeaders } from './signature.ts';

test('signs as the specification of Standard Webhooks does', () => {
  // The test vector of its reference libraries.
  const key = keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  expect(
    signedHeaders(
      [key as Buffer],
      { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' },
      1_614_265_330_999,
    ),
  ).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

const of = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');

test.each([24, 32, 64])('a secret may have %i bytes', (bytes) => {
  expect(keyOf(`whsec_${of(bytes)}`)).toEqual(Buffer.alloc(bytes, 7));
});

test.each([
  '',
  'whsec_',
  `whsec_${of(23)}`,
  `whsec_${of(65)}`,
  of(32),
  `whsk_${of(32)}`,
  `whsec_${of(32)}\n`,
  `whsec_${'?'.repeat(44)}`,
])('%j is no secret', (secret) => expect(keyOf(secret)).toBeUndefined());
