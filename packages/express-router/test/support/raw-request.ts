import { connect } from 'node:net';

/**
 * Sends these bytes and resolves with all that comes back until the server hangs up.
 * @param isAll says at once that no more will come; otherwise the server waits for more
 * @throws Error if it has not hung up after `answerMs`
 */
export function sendRaw(
  url: string,
  bytes: string | Uint8Array,
  { isAll = true, answerMs = 20_000 }: { readonly isAll?: boolean; readonly answerMs?: number } = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    const timer = setTimeout(() => {
      reject(new Error(`no end within ${answerMs} ms: ${text}`));
      socket.destroy();
    }, answerMs);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    // A connection that is cut is an end, too.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.on('end', () => socket.end());
    if (isAll) socket.end(bytes);
    else socket.write(bytes);
  });
}
