import { existsSync } from 'node:fs';
import Docker from 'dockerode';
import {
  dockerCli,
  type EngineOptions,
  type StartedEngine,
  startEngine,
} from '../../../../scripts/services/docker.ts';
import { ensureTestImage } from '../../../../scripts/services/docker-image.ts';
import { Ground } from '../../../../scripts/services/ground.ts';
import { sendSignal } from '../../../../test/support/send-signal.ts';

/** A client of the engine at a `unix:` or `tcp:` address. */
export function clientOf(url: string): Docker {
  if (url.startsWith('unix://')) return new Docker({ socketPath: url.slice('unix://'.length) });
  const { hostname, port } = new URL(url);
  return new Docker({ protocol: 'http', host: hostname, port: Number(port) });
}

/** An engine of a test's own, to be hung and killed. */
export class PrivateEngine {
  readonly docker: Docker;
  readonly image: string;
  readonly #ground: Ground;
  readonly #options: EngineOptions;
  #started: StartedEngine;

  private constructor(ground: Ground, options: EngineOptions, started: StartedEngine, image: string) {
    this.#ground = ground;
    this.#options = options;
    this.#started = started;
    this.image = image;
    this.docker = clientOf(started.url);
  }

  static async start(options: EngineOptions = {}): Promise<PrivateEngine> {
    const ground = await Ground.make();
    try {
      const started = await startEngine(ground, options);
      return new PrivateEngine(ground, options, started, await ensureTestImage(started.url, ground));
    } catch (error) {
      await ground.stop();
      throw error;
    }
  }

  get url(): string {
    return this.#started.url;
  }

  signal(name: NodeJS.Signals): void {
    sendSignal(this.#started.pid, name);
  }

  /** Starts it again on the same folder, after it was killed. */
  async restart(): Promise<void> {
    this.#started = await startEngine(this.#ground, this.#options);
  }

  cli(...args: string[]): Promise<string> {
    return dockerCli(this.url, args);
  }

  async stop(): Promise<void> {
    try {
      this.signal('SIGCONT');
    } catch {
      // It is gone.
    }
    // What the engine cannot undo any more goes with its folder.
    await this.#ground.stop().catch(() => {});
    if (existsSync(this.#ground.folder)) throw new Error(`${this.#ground.folder} is still there`);
  }
}
