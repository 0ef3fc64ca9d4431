import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePackages } from '../../scripts/services/apt.ts';
import { Ground } from '../../scripts/services/ground.ts';
import { account, makeCluster, newestBin, query } from '../../scripts/services/postgres.ts';
import { freePort, untilReady } from '../../scripts/services/ready.ts';
import { asUser } from '../../scripts/services/user.ts';
import { sendSignal } from './send-signal.ts';

const password = 'own';

/** A PostgreSQL server of one test's own, with durable commits, that can be killed, hung and started again. */
export class OwnPostgres {
  readonly url: string;
  readonly #ground: Ground;
  readonly #bin: string;
  readonly #port: number;
  #server: ChildProcess | undefined;

  private constructor(ground: Ground, bin: string, port: number) {
    this.#ground = ground;
    this.#bin = bin;
    this.#port = port;
    this.url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  }

  static async make(settings: readonly string[] = []): Promise<OwnPostgres> {
    const bin = await ensurePackages({ find: newestBin, packages: ['postgresql'] });
    const ground = await Ground.make();
    const own = new OwnPostgres(ground, bin, await freePort());
    try {
      await makeCluster(bin, own.#data, password);
      await own.start(settings);
      return own;
    } catch (error) {
      await own.end();
      throw error;
    }
  }

  /** Starts it (again), and resolves when it answers. */
  async start(settings: readonly string[] = []): Promise<void> {
    const options = [
      `port=${this.#port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      ...settings,
    ].flatMap((setting) => ['-c', setting]);
    const command = join(this.#bin, 'postgres');
    const log = openSync(join(this.#ground.folder, 'own-postgres.log'), 'a');
    const [file, args] = asUser(account, command, ['-D', this.#data, ...options], 'SIGQUIT');
    const server = spawn(file, args, { cwd: this.#ground.folder, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#server = server;
    const daemon = {
      log: () =>
        readFile(join(this.#ground.folder, 'own-postgres.log'), 'utf8').then((all) => all.slice(-4_000)),
      get ended() {
        return server.exitCode !== null || server.signalCode !== null;
      },
    };
    await untilReady('postgres', daemon, async () => void (await query(this.url, 'SELECT 1')), 30_000);
  }

  /** As a power failure does: every process of it is gone at once. It can be started again. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    // Stopped first, so that it starts nobody while its children are listed.
    await this.#signal('SIGSTOP');
    const children = await this.#processes();
    await this.#signal('SIGKILL');
    await gone;
    for (const pid of children) while (isThere(pid)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Every process of it is stopped: connections are taken by the system and never answered. */
  async freeze(): Promise<void> {
    await this.#signal('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.#signal('SIGCONT');
  }

  async end(): Promise<void> {
    await this.kill();
    await this.#ground.stop();
  }

  get #data(): string {
    return join(this.#ground.folder, 'own-postgres');
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    for (const pid of await this.#processes()) {
      try {
        sendSignal(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  /** The server first, then its children, each of which leads a group of its own. */
  async #processes(): Promise<number[]> {
    const pid = this.#server?.pid;
    if (pid === undefined) return [];
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
