import { expect, test } from 'vitest';
import { parseReplies } from './resp.ts';

const reply = '+PONG\r\n:3\r\n$6\r\ngr\u00f6\r\n\r\n$-1\r\n';

test('replies are read whole, also when they contain line ends', () => {
  expect(parseReplies(Buffer.from('+PONG\r\n:3\r\n$6\r\ngrö\r\n\r\n$-1\r\n'))).toEqual([
    'PONG',
    '3',
    'grö\r\n',
    null,
  ]);
});

test('a reply that is not complete yet is left out, wherever it is cut', () => {
  const bytes = Buffer.from(reply);
  for (let length = 0; length < bytes.length; length++) {
    const replies = parseReplies(bytes.subarray(0, length));
    expect(['PONG', '3', 'grö\r\n', null].slice(0, replies.length)).toEqual(replies);
    expect(replies.length).toBeLessThan(4);
  }
});

test('an error reply and an unknown kind throw', () => {
  expect(() => parseReplies(Buffer.from('-NOAUTH Authentication required.\r\n'))).toThrow('NOAUTH');
  expect(() => parseReplies(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow('unexpected reply');
});
