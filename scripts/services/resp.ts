import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * Sends commands to a Valkey or Redis and answers their replies: simple strings, integers and bulk strings as text, a
 * missing value as `null`. Enough to see that one is there; not a client.
 * @throws on an error reply, a closed connection, or when 5 s are over.
 */
export async function respConversation(
  url: string,
  commands: readonly (readonly string[])[],
): Promise<(string | null)[]> {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const opening: string[][] = [];
  if (password !== '') {
    opening.push(['AUTH', ...(username ? [decodeURIComponent(username)] : []), decodeURIComponent(password)]);
  }
  if (/^\/\d+$/.test(pathname)) opening.push(['SELECT', pathname.slice(1)]);
  const where = { host: hostname, port: Number(port || 6379) };
  const socket = protocol === 'rediss:' ? connectTls(where) : connect(where);
  try {
    const replies = await exchange(socket, [...opening, ...commands]);
    return replies.slice(opening.length);
  } finally {
    socket.destroy();
  }
}

function exchange(socket: Socket, commands: readonly (readonly string[])[]): Promise<(string | null)[]> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.setTimeout(5_000, () => reject(new Error('no reply within 5 s')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed before the reply')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const replies = parseReplies(received);
        if (replies.length >= commands.length) resolve(replies);
      } catch (error) {
        reject(error);
      }
    });
    socket.write(commands.map(encode).join(''));
  });
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

/** The whole replies at the start of `bytes`; a reply that is not complete yet is left out. */
export function parseReplies(bytes: Buffer): (string | null)[] {
  const replies: (string | null)[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return replies;
    const kind = String.fromCharCode(bytes[at] ?? 0);
    const line = bytes.toString('utf8', at + 1, end);
    at = end + 2;
    if (kind === '-') throw new Error(line);
    if (kind === '+' || kind === ':') replies.push(line);
    else if (kind === '$' && line === '-1') replies.push(null);
    else if (kind === '$') {
      const length = Number(line);
      if (bytes.length < at + length + 2) return replies;
      replies.push(bytes.toString('utf8', at, at + length));
      at += length + 2;
    } else throw new Error(`unexpected reply ${kind}${line.slice(0, 40)}`);
  }
}
