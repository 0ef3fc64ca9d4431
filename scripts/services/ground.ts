import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, killAll, livesOn } from '../lib/processes.ts';
import { killGroup, run } from '../lib/run.ts';
import { type Account, asUser } from './user.ts';

export const folderPrefix = 'killswitch-services-';

export interface DaemonOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** The account it runs under; default: this process's. */
  readonly account?: Account;
  /** What asks it to end; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

export interface Daemon {
  /** The end of what it wrote to stdout and stderr. */
  log(): Promise<string>;
  readonly ended: boolean;
}

/**
 * The folder that started services live on, and everything that has to be undone. After {@link Ground.stop} there is no
 * process, no mount and no file left of it, and nothing new can be started on it.
 */
export class Ground {
  readonly folder: string;
  readonly #undo: (() => Promise<void>)[] = [];
  #stopped: Promise<void> | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), folderPrefix));
    await writeFile(join(folder, 'owner'), JSON.stringify(identify(process.pid) ?? {}));
    await chmod(folder, 0o711);
    return new Ground(folder);
  }

  /** Has `undo` called at the stop, last one first. At once if the stop is under way. */
  async onStop(undo: () => Promise<void>): Promise<void> {
    if (this.#stopped !== undefined) return undo();
    this.#undo.push(undo);
  }

  /** Starts a process in its own group, which dies with this process at the latest. */
  async daemon(
    name: string,
    command: string,
    args: readonly string[],
    options: DaemonOptions = {},
  ): Promise<Daemon> {
    if (this.#stopped !== undefined) throw new Error(`Not starting ${name}: services are being stopped`);
    const stopSignal = options.stopSignal ?? 'SIGTERM';
    const logFile = join(this.folder, `${name}.log`);
    const log = openSync(logFile, 'a');
    const [file, argv] = asUser(options.account, command, args, stopSignal);
    const child = spawn(file, argv, {
      cwd: this.folder,
      stdio: ['ignore', log, log],
      detached: true,
      ...(options.env && { env: options.env }),
    });
    closeSync(log);
    child.on('error', () => {});
    const exited = once(child, 'exit').catch(() => {});
    let ended = false;
    exited.then(() => {
      ended = true;
    });
    await this.onStop(async () => {
      if (child.pid === undefined) return;
      if (!ended && killGroup(child.pid, stopSignal)) await Promise.race([exited, unrefTimer(15_000)]);
      killGroup(child.pid, 'SIGKILL');
    });
    return {
      log: async () => (await readFile(logFile, 'utf8')).slice(-4_000),
      get ended() {
        return ended;
      },
    };
  }

  /** Undoes everything. @throws AggregateError naming what could not be undone, after trying all of it. */
  stop(): Promise<void> {
    this.#stopped ??= this.#undoAll();
    return this.#stopped;
  }

  async #undoAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const undo of [...this.#undo.reverse(), () => clearFolder(this.folder)]) {
      await undo().catch((error) => errors.push(error));
    }
    if (errors.length > 0)
      throw new AggregateError(errors, `Not everything on ${this.folder} could be stopped`);
  }
}

/** Kills what lives on a ground's folder, unmounts what is mounted below it and removes it. */
export async function clearFolder(folder: string): Promise<void> {
  await killAll((pid) => livesOn(pid, folder), 10_000);
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const below = mounts
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of below.reverse()) await run('umount', ['-l', point]);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

function unrefTimer(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
