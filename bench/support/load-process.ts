import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Load, Loaded } from './http-load.ts';

/** A process that sends requests. See `http-load.ts`. */
export class LoadProcess {
  readonly #process: ChildProcess = fork(new URL('./http-load.ts', import.meta.url));

  async run(load: Load): Promise<Loaded> {
    this.#process.send(load);
    const [loaded] = (await once(this.#process, 'message')) as [Loaded];
    return loaded;
  }

  /** Ends a load that has no end of its own. */
  end(): void {
    this.#process.send('end');
  }

  close(): void {
    this.#process.kill();
  }
}
