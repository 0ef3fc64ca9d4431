import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Writing } from './append-for.ts';

/** Processes of writers, as services on machines of their own would be. */
export class WriterProcesses {
  readonly #processes: readonly ChildProcess[];

  private constructor(processes: readonly ChildProcess[]) {
    this.#processes = processes;
  }

  static async make(url: string, count: number): Promise<WriterProcesses> {
    const script = new URL('./writer.ts', import.meta.url);
    const processes = Array.from({ length: count }, () => fork(script, [url]));
    await Promise.all(processes.map((each) => once(each, 'message')));
    return new WriterProcesses(processes);
  }

  /** `first` and `writers` are those of each process, its events a million apart. Resolves with how many they appended. */
  async append({ first, ...writing }: Writing): Promise<number> {
    const answers = this.#processes.map(async (each, n) => {
      each.send({ ...writing, first: first + n * 1_000_000, firstWriter: n * writing.writers });
      const [appended] = (await once(each, 'message')) as [number];
      return appended;
    });
    return (await Promise.all(answers)).reduce((sum, appended) => sum + appended, 0);
  }

  end(): void {
    for (const each of this.#processes) each.kill();
  }
}
