import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type SqliteState, type SqliteStateOptions, sqliteState } from '../src/index.ts';

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'agent-killswitch-sqlite-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A client that is closed after the test. */
export function opened(file: string, options?: SqliteStateOptions): SqliteState {
  const store = sqliteState(file, options);
  onTestFinished(() => store.close());
  return store;
}

export interface ChildLimits {
  readonly uid?: number;
  readonly gid?: number;
  /** Largest file it may write, in 512-byte blocks. */
  readonly fileBlocks?: number;
}

/** Another process running `test/children/<name>.ts`, told and heard line by line. Killed after the test. */
export class Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: AsyncIterator<string>;

  constructor(name: string, args: readonly string[], limits: ChildLimits = {}) {
    const script = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url));
    const flags = ['--conditions=agent-killswitch-source', '--no-warnings'];
    const { fileBlocks = 'unlimited', ...user } = limits;
    const shell = ['-c', 'ulimit -f "$0"; exec "$@"', String(fileBlocks), process.execPath];
    this.process = spawn('/bin/sh', [...shell, ...flags, script, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      ...user,
    });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    onTestFinished(() => void this.process.kill('SIGKILL'));
  }

  tell(line: string): void {
    this.process.stdin.write(`${line}\n`);
  }

  /** The next line it says, or `undefined` after its end. */
  async hear(): Promise<string | undefined> {
    const { value, done } = await this.lines.next();
    return done ? undefined : value;
  }

  async hearRest(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.hear(); line !== undefined; line = await this.hear()) lines.push(line);
    return lines;
  }
}
