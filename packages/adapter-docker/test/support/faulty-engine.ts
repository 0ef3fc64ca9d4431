import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Docker from 'dockerode';

/** What is done with a request: `pass` it on to the real engine, or answer it otherwise. */
export type Fault = (method: string, path: string) => 'pass' | Answer;
export type Answer =
  /** Answered so, without the engine. */
  | { readonly status: number; readonly body?: string }
  /** The connection ends without an answer, or in the middle of one. */
  | 'drop'
  | 'cut'
  /** Never answered. */
  | 'silence';

/** A server on TCP before a real engine, that goes wrong as told. */
export class FaultyEngine {
  readonly docker: Docker;
  readonly requests: string[] = [];
  fault: Fault = () => 'pass';
  readonly #server: Server;
  readonly #socketPath: string;

  private constructor(server: Server, socketPath: string) {
    this.#server = server;
    this.#socketPath = socketPath;
    const { port } = server.address() as AddressInfo;
    this.docker = new Docker({ protocol: 'http', host: '127.0.0.1', port });
    server.on('request', (incoming, response) => this.#serve(incoming, response));
  }

  static async before(url: string): Promise<FaultyEngine> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FaultyEngine(server, url.slice('unix://'.length));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = incoming;
    this.requests.push(`${method} ${url}`);
    const answer = this.fault(method, url);
    if (answer === 'silence') return;
    if (answer === 'drop') return void incoming.socket.destroy();
    if (answer === 'cut') {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
      response.write('{"Id":');
      setImmediate(() => incoming.socket.destroy());
      return;
    }
    if (answer !== 'pass') {
      const { status, body = JSON.stringify({ message: `status ${status}` }) } = answer;
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(status === 204 || status === 304 ? undefined : body);
      return;
    }
    const onward = request({ socketPath: this.#socketPath, method, path: url, headers }, (real) => {
      response.writeHead(real.statusCode ?? 500, real.headers);
      real.pipe(response);
    });
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  }
}
