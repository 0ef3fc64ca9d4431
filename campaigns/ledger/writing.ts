import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One writer after the other, until all events are told and delivered. */
export class Writing {
  readonly #args: readonly string[];
  readonly #total: number;
  readonly #seed: number;
  #child: ChildProcess | undefined;
  #acknowledged = 0;
  #lives = 0;
  #isDone = false;
  #error: string | undefined;

  constructor(url: string, directory: string, round: number, total: number, seed: number) {
    this.#args = [url, directory, String(round)];
    this.#total = total;
    this.#seed = seed;
  }

  start(): void {
    const script = join(import.meta.dirname, 'writer.ts');
    const range = [String(this.#acknowledged), String(this.#total), String(this.#seed + this.#lives)];
    const child = spawn(
      process.execPath,
      ['--conditions=agent-killswitch-source', script, ...this.#args, ...range],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#lives += 1;
    this.#child = child;
    let complaint = '';
    child.stderr.on('data', (data) => {
      complaint = `${complaint}${data}`.slice(-1_000);
    });
    child.on('exit', (code) => {
      if (code !== 0 && code !== null) this.#error = complaint || `exit code ${code}`;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'delivered') this.#isDone = true;
      else this.#acknowledged = Math.max(this.#acknowledged, Number(line.split(' ')[1]));
    });
  }

  /** Kills the writer, and has another one tell what is not acknowledged. A writer that is done stays done. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    if (!this.#isDone) this.start();
  }

  /** Resolves when the last writer has ended. @throws Error if it did not deliver everything. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null)
      await once(child, 'close');
    if (this.#error !== undefined) throw new Error(`the writer failed: ${this.#error}`);
    if (!this.#isDone) throw new Error(`the writer ended at ${this.#acknowledged} of ${this.#total}`);
  }

  /** For good. */
  abort(): void {
    this.#isDone = true;
    this.#child?.kill('SIGKILL');
  }
}
