import { Worker } from 'node:worker_threads';
import type { Job, JobResult } from './job.ts';

/** Does jobs one after the other in a thread of its own, which a changed core may break or keep busy for ever. */
export class Thread {
  readonly #limitMs: number;
  #worker: Worker | undefined;

  /** `limitMs`: a job that takes longer is over, and has been caught by that. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  async run(job: Job): Promise<JobResult> {
    this.#worker ??= new Worker(new URL('./worker.ts', import.meta.url), {
      execArgv: ['--conditions=agent-killswitch-source', '--disable-warning=ExperimentalWarning'],
      stdout: true,
      stderr: true,
    });
    const worker = this.#worker;
    const { result, isBroken } = await this.#do(worker, job);
    if (isBroken) await this.close();
    return result;
  }

  async #do(worker: Worker, job: Job): Promise<{ result: JobResult; isBroken: boolean }> {
    let timer: NodeJS.Timeout | undefined;
    const listeners = new AbortController();
    try {
      return await new Promise((resolve) => {
        const broken = (caughtBy: string): void =>
          resolve({ result: { caughtBy, passed: 0 }, isBroken: true });
        const on = (event: string, listener: (value: unknown) => void): void => {
          worker.once(event, listener);
          listeners.signal.addEventListener('abort', () => worker.off(event, listener));
        };
        on('message', (result) => resolve({ result: result as JobResult, isBroken: false }));
        on('error', (error) => broken(`an error outside any test: ${error}`));
        on('exit', () => broken('the end of its thread'));
        timer = setTimeout(() => broken(`not through after ${this.#limitMs} ms`), this.#limitMs);
        worker.postMessage(job);
      });
    } finally {
      clearTimeout(timer);
      listeners.abort();
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
