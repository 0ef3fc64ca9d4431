import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

const tries = 5;

/** A Valkey of the campaign's own, since it is stopped in the middle; it remembers nothing. */
export class OwnServer {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(port: number) {
    this.url = `redis://127.0.0.1:${port}`;
    const where = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#child = spawn('valkey-server', where, { stdio: 'ignore' });
  }

  static async start(): Promise<OwnServer> {
    for (let n = 1; ; n += 1) {
      const server = new OwnServer(await freePort());
      if (await server.#isUp()) return server;
      await server.end();
      if (n === tries) throw new Error('No Valkey could be started');
    }
  }

  /** Stands still until `resume`: it is connected to, and answers nothing. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Whether it is the one that has the port. */
  async #isUp(): Promise<boolean> {
    const client = new Redis(this.url, { maxRetriesPerRequest: 500, retryStrategy: () => 10 });
    client.on('error', () => {});
    try {
      return (await client.info('server')).includes(`process_id:${this.#child.pid}\r\n`);
    } finally {
      client.disconnect();
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
