import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { AuditEvent, AuditRecord, Deadlines, Scope, StopStep } from '@agent-killswitch/core';

export interface HostSettings {
  readonly url: string;
  readonly prefix: string;
  readonly hostId: string;
  /** Of its journal. */
  readonly folder: string;
  readonly deadlines: Partial<Deadlines>;
  /** How its agents, and those of others that it reaches, take a kill by it. */
  readonly nature: 'easy' | 'forced' | 'immortal';
}

export type Command =
  | { readonly do: 'spawn'; readonly agentId: string; readonly taskId: string }
  /** `victim`: the process that is killed by SIGKILL right after the host has taken the step `at`. */
  | { readonly do: 'stop'; readonly scope: Scope; readonly at?: StopStep; readonly victim?: number }
  | { readonly do: 'release' }
  /** From now on its agents die of the first kill. */
  | { readonly do: 'relent' };

/** A host in a process of its own, which can be killed, stopped and continued. */
export class HostProcess {
  readonly hostId: string;
  readonly #settings: HostSettings;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  private constructor(settings: HostSettings) {
    const script = join(import.meta.dirname, 'host.ts');
    const args = ['--conditions=agent-killswitch-source', script, JSON.stringify(settings)];
    this.hostId = settings.hostId;
    this.#settings = settings;
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin.on('error', () => {});
    this.#exited = once(this.#child, 'exit');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when it is up. */
  static async start(settings: HostSettings): Promise<HostProcess> {
    const host = new HostProcess(settings);
    if ((await host.#answer()) === undefined) throw new Error(`Host ${settings.hostId} did not start`);
    return host;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its answer; `undefined` if it ends without one. */
  async tell(command: Command): Promise<Record<string, unknown> | undefined> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.#answer();
  }

  async #answer(): Promise<Record<string, unknown> | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : (JSON.parse(value) as Record<string, unknown>);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** What its journal holds; a line that is being written is not on record yet. */
  events(): AuditEvent[] {
    const lines = readFileSync(join(this.#settings.folder, 'journal.jsonl'), 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as AuditRecord).event);
  }
}
