import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJournal } from '@agent-killswitch/adapter-file-audit';
import type { AuditEvent } from '@agent-killswitch/core';
import { fileSessions, type SessionRecord } from '../../src/index.ts';
import type { ServicePlan, Told } from './service-plan.ts';

const fixture = new URL('../fixtures/service.ts', import.meta.url).pathname;
export const nodeArguments: readonly string[] = [
  // As services have them; Node gives such an option to no thread that has options of its own.
  '--max-old-space-size=2048',
  '--conditions=agent-killswitch-source',
  '--disable-warning=ExperimentalWarning',
];

/** A service of `fixtures/service.ts` that runs. */
export class Service {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'killswitch-service-'));
  readonly child: ChildProcess;
  readonly told: Told[] = [];
  errors = '';
  readonly #closed: Promise<unknown>;
  #rest = '';

  constructor(plan: Omit<ServicePlan, 'folder'>, command: readonly string[] = [process.execPath]) {
    const [program = '', ...before] = command;
    const json = JSON.stringify({ ...plan, folder: this.folder });
    this.child = spawn(program, [...before, ...nodeArguments, fixture, json], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.child, 'close');
    this.child.stdout?.on('data', (chunk) => this.#take(String(chunk)));
    this.child.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
  }

  /** Waits until it has told such a thing. @throws Error if it ends before */
  async until<K extends string>(key: K): Promise<Extract<Told, Record<K, unknown>>> {
    const ended = this.#closed.then(() => Promise.reject(new Error(`The service has ended: ${this.errors}`)));
    ended.catch(() => undefined);
    for (;;) {
      const found = this.told.find((told) => key in told);
      if (found !== undefined) return found as Extract<Told, Record<K, unknown>>;
      await Promise.race([ended, once(this.child.stdout as NodeJS.ReadableStream, 'data')]);
    }
  }

  async ended(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    await this.#closed;
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  async events(): Promise<AuditEvent[]> {
    const events: AuditEvent[] = [];
    for await (const { event } of readJournal(join(this.folder, 'journal'))) events.push(event);
    return events;
  }

  record(sessionId: string): Promise<SessionRecord | undefined> {
    return fileSessions(join(this.folder, 'sessions')).get(sessionId);
  }

  dispose(): void {
    this.child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    this.told.push(...lines.map((line) => JSON.parse(line) as Told));
  }
}

/** The living processes with the mark of an agent whose id begins so: looked up without any code of the library. */
export function marked(prefix: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && read(`/proc/${pid}/environ`).includes(`AGENT_KILLSWITCH_AGENT_ID=${prefix}`))
    .filter((pid) => !/^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`) || 'State:\tX'));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has ended while it was looked at, or is another user's.
    return '';
  }
}
