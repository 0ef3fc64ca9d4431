import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';

const main = new URL('../../reference-server/src/main.ts', import.meta.url).pathname;

export interface InstanceSettings {
  /** Its own: journal and working folders. */
  readonly folder: string;
  readonly principalsFile: string;
  /** Shared by all instances, as is the prefix of the keys. */
  readonly valkeyUrl: string;
  readonly prefix: string;
}

/** A reference server in a process of its own. */
export class Instance {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #url = '';

  private constructor({ folder, principalsFile, valkeyUrl, prefix }: InstanceSettings) {
    this.#child = spawn(process.execPath, ['--conditions=agent-killswitch-source', main], {
      env: {
        PATH: process.env.PATH,
        STATE_DIR: folder,
        ORCHESTRATOR_PORT: '0',
        SHUTDOWN_GRACE_MS: '0',
        REFERENCE_PRINCIPALS_FILE: principalsFile,
        VALKEY_URL: valkeyUrl,
        VALKEY_PREFIX: prefix,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'exit');
  }

  /** Resolves when it listens. */
  static async start(settings: InstanceSettings): Promise<Instance> {
    await mkdir(settings.folder, { recursive: true });
    const instance = new Instance(settings);
    let output = '';
    for await (const chunk of instance.#child.stdout ?? []) {
      output += chunk;
      instance.#url = /^listening on (\S+)$/m.exec(output)?.[1] ?? '';
      if (instance.#url !== '') return instance;
    }
    throw new Error(`An instance has ended: ${output}`);
  }

  get url(): string {
    return this.#url;
  }

  /** POSTs to it and resolves with status and body. */
  async post(path: string, token: string, body: object): Promise<{ status: number; body: Answer }> {
    const response = await fetch(this.#url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  }

  /** Ends it, and with it the agents that it still has. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

/** What of the answers is looked at here. */
export interface Answer {
  readonly agentId?: string;
  readonly message?: string;
  readonly detail?: string;
  readonly total?: number;
  readonly killed?: number;
  readonly outcomes?: ReadonlyArray<{
    readonly agentId: string;
    readonly evidence?: string;
    readonly requestedAt?: string;
    readonly confirmedAt?: string;
  }>;
}
