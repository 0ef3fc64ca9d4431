/**
 * A process with three webhook receivers: one hangs, one refuses connections, one floods. Sends their ports. It gives way to
 * others: in life it is on a machine of its own.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setPriority } from 'node:os';

const chunk = `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1 << 16)}`;

function flood(socket: Socket): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk)) {}
  };
  socket.on('drain', more);
  socket.once('data', more);
}

async function listening(behave: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    behave(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

setPriority(19);
const servers = await Promise.all([listening(() => undefined), listening(() => undefined), listening(flood)]);
const ports = servers.map((server) => (server.address() as AddressInfo).port);
servers[1]?.close();
process.send?.(ports);
process.on('disconnect', () => process.exit());
