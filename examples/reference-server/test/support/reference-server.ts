import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditEvent, type AuditRecord, auditEventSchema, chainFault } from '@agent-killswitch/core';
import { processesOf } from './processes.ts';

export const main: string = new URL('../../src/main.ts', import.meta.url).pathname;

/** Bearer tokens of the principals that every test server knows. */
export const tokens = {
  mia: 'token-of-mia',
  nia: 'token-of-nia',
  adam: 'token-of-adam',
  zoe: 'token-of-zoe',
  sue: 'token-of-sue',
  bot: 'token-of-bot',
} as const;

const principals = {
  [tokens.mia]: { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId: 'demo' }] },
  [tokens.nia]: { id: 'nia', kind: 'user', grants: [{ role: 'member', workspaceId: 'demo' }] },
  [tokens.adam]: { id: 'adam', kind: 'user', grants: [{ role: 'workspace-admin', workspaceId: 'demo' }] },
  [tokens.zoe]: { id: 'zoe', kind: 'user', grants: [{ role: 'workspace-admin', workspaceId: 'other' }] },
  [tokens.sue]: { id: 'sue', kind: 'user', grants: [{ role: 'super-admin' }] },
  [tokens.bot]: { id: 'bot', kind: 'agent', grants: [{ role: 'super-admin' }] },
};

// biome-ignore lint/suspicious/noExplicitAny: answers are read as they come
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
  readonly ms: number;
}

/** A folder with a principals file and room for the state of one server, over all its lives. */
export class Site {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'killswitch-e2e-'));
  readonly stateDir: string = join(this.folder, 'state');
  readonly journalFile: string = join(this.stateDir, 'journal', 'journal.jsonl');
  readonly #lives: Life[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #agents: string[] = [];

  readonly #more: Readonly<Record<string, string>>;

  /** `more`: environment variables of the server. */
  constructor(more: Readonly<Record<string, string>> = {}) {
    this.#more = more;
    writeFileSync(join(this.folder, 'principals.json'), JSON.stringify(principals));
  }

  get environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      STATE_DIR: this.stateDir,
      ORCHESTRATOR_PORT: '0',
      SHUTDOWN_GRACE_MS: '100',
      REFERENCE_PRINCIPALS_FILE: join(this.folder, 'principals.json'),
      ...this.#more,
    };
  }

  /** Starts the server as a process of its own and waits until it listens. `script`: instead of the server's own main. */
  async boot(
    script: string = main,
    args: readonly string[] = [],
    environment: Record<string, string> = {},
  ): Promise<Life> {
    const life = new Life(this.launch(script, args, environment), this.#agents);
    this.#lives.push(life);
    await life.listening();
    return life;
  }

  /** Starts it without waiting. */
  launch(
    script: string = main,
    args: readonly string[] = [],
    environment: Record<string, string> = {},
  ): ChildProcess {
    const child = spawn(
      process.execPath,
      ['--conditions=agent-killswitch-source', '--disable-warning=ExperimentalWarning', script, ...args],
      {
        env: { ...this.environment, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#children.push(child);
    return child;
  }

  /** Starts it where it should refuse to, and says how it ended. */
  async refuse(
    environment: Record<string, string> = {},
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = this.launch(main, [], environment);
    const output = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk) => (output.stdout += chunk));
    child.stderr?.on('data', (chunk) => (output.stderr += chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...output };
  }

  /** The audit record, with its chain and its schema checked. */
  events(): AuditEvent[] {
    // A line that is being written is not on record yet.
    const lines = readFileSync(this.journalFile, 'utf8').split('\n').slice(0, -1);
    let last: AuditRecord | undefined;
    return lines.map((line) => {
      const record = JSON.parse(line) as AuditRecord;
      if (chainFault(last, last?.partition ?? record.partition, record) !== undefined)
        throw new Error(`Broken chain: ${line}`);
      last = record;
      return auditEventSchema.parse(record.event);
    });
  }

  /** Ends whatever a failed test may have left running. */
  async dispose(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const life of this.#lives) await life.crash();
    for (const agentId of this.#agents)
      for (const { pid } of processesOf(agentId)) process.kill(pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One life of a server process. */
export class Life {
  readonly #child: ChildProcess;
  readonly #agents: string[];
  readonly #closed: Promise<unknown>;
  output = '';
  url = '';

  constructor(child: ChildProcess, agents: string[]) {
    this.#child = child;
    this.#agents = agents;
    this.#closed = once(child, 'close');
    child.stdout?.on('data', (chunk) => (this.output += chunk));
    child.stderr?.on('data', (chunk) => (this.output += chunk));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async listening(): Promise<void> {
    const ended = this.#closed.then(() => Promise.reject(new Error(`The server ended: ${this.output}`)));
    ended.catch(() => undefined);
    while (this.url === '') {
      await Promise.race([ended, once(this.#child.stdout as NodeJS.ReadableStream, 'data')]);
      this.url = /^listening on (\S+)$/m.exec(this.output)?.[1] ?? '';
    }
  }

  async call(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    init: RequestInit = {},
  ): Promise<Answer> {
    const started = performance.now();
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...init.headers,
    };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(this.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: text }),
      ...(init.signal ? { signal: init.signal } : {}),
    });
    const answer = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: answer === '' ? undefined : JSON.parse(answer),
      ms: performance.now() - started,
    };
  }

  /** Spawns an agent and returns its id. */
  async spawn(
    token: string,
    taskId: string,
    behaviour: string,
    more: Record<string, unknown> = {},
  ): Promise<string> {
    const answer = await this.call('POST', '/agents/spawn', token, {
      taskId,
      agentType: 'worker',
      behaviour,
      workspaceId: 'demo',
      ...more,
    });
    if (answer.status !== 201) throw new Error(`Not spawned: ${JSON.stringify(answer.body)}`);
    this.#agents.push(answer.body.agentId);
    return answer.body.agentId;
  }

  /** kill -9, and waits until it is gone. */
  async crash(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Waits for the end and returns exit code and signal. */
  async ended(): Promise<{ code: number | null; signal: string | null }> {
    await this.#closed;
    return { code: this.#child.exitCode, signal: this.#child.signalCode };
  }

  /** SIGTERM, and the exit code. */
  async terminate(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return (await this.ended()).code;
  }
}
