import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request as it arrived, byte for byte. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** How many connections there were. */
  readonly connections: number;
  /** Resolves when so many requests have come. */
  until(count: number): Promise<void>;
}

/** A real HTTP server that answers as it is told; the index counts requests from 0. */
export async function receiver(
  answer: (response: ServerResponse, request: Received, index: number) => void,
  address = '127.0.0.1',
  port = 0,
): Promise<Receiver> {
  const received: Received[] = [];
  const waiting: Array<() => void> = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
    received.push(one);
    for (const wake of waiting.splice(0)) wake();
    answer(response, one, received.length - 1);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(port, address);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${address}:${bound}/hook`,
    port: bound,
    received,
    get connections() {
      return connections;
    },
    async until(count) {
      while (received.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

/** Something that listens and does with a connection whatever it wants. */
export async function rudeReceiver(
  behave: (socket: Socket) => void,
): Promise<{ url: string; written(): number }> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    behave(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    written: () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
  };
}

/** Writes the same again and again as fast as it is taken. */
export function flood(socket: Socket, chunk: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk)) {}
  };
  socket.on('drain', more);
  more();
}
