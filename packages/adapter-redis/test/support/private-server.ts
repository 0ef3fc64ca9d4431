import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';

/** A server of this test's own, to be stopped, filled and killed. Nothing on disk. Gone after the test. */
export class PrivateServer {
  readonly port: number;
  readonly url: string;
  private readonly args: readonly string[];
  private child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.args = args;
  }

  static async start(...args: string[]): Promise<PrivateServer> {
    const server = new PrivateServer(await freePort(), args);
    onTestFinished(() => server.kill());
    await server.boot();
    return server;
  }

  /** Starts it, again after a kill: then it is empty. */
  async boot(): Promise<void> {
    const settings = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.child = spawn('valkey-server', [...settings, ...this.args], { stdio: 'ignore' });
    const client = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 });
    client.on('error', () => {});
    await client.ping();
    client.disconnect();
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
