import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { sendSignal } from '../../../../test/support/send-signal.ts';

/** A server of this test's own, to be stopped, filled and killed; it remembers nothing. Gone after the test. */
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

  /** On another port if somebody took the first one in between. */
  static async start(...args: string[]): Promise<PrivateServer> {
    for (let tries = 1; ; tries += 1) {
      const server = new PrivateServer(await freePort(), args);
      onTestFinished(() => server.kill());
      try {
        await server.boot();
        return server;
      } catch (error) {
        if (tries === 5) throw error;
      }
    }
  }

  /** Starts it, again after a kill: then it is empty. */
  async boot(): Promise<void> {
    // A replica writes what it is sent to a file, which the next server there would read.
    const folder = mkdtempSync(join(tmpdir(), 'agent-killswitch-valkey-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const where = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', folder];
    const settings = [...where, '--save', '', '--appendonly', 'no'];
    this.child = spawn('valkey-server', [...settings, ...this.args], { stdio: 'ignore' });
    const client = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 });
    client.on('error', () => {});
    const about = await client.info('server');
    client.disconnect();
    if (!about.includes(`process_id:${this.child.pid}\r\n`))
      throw new Error(`Port ${this.port} is another's`);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.child?.pid !== undefined) sendSignal(this.child.pid, signal);
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
