import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Shift, ShiftResult } from './shift.ts';

/** Plays shifts on as many threads as there are cores. `onResult` hears each result, in no particular order. */
export async function playOnThreads(
  shifts: readonly Shift[],
  onResult: (result: ShiftResult) => void,
): Promise<void> {
  const waiting = [...shifts];
  const threads = Math.min(availableParallelism(), shifts.length);
  await Promise.all(Array.from({ length: threads }, () => work(waiting, onResult)));
}

/** @throws what breaks the thread. */
async function work(waiting: Shift[], onResult: (result: ShiftResult) => void): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    execArgv: ['--conditions=agent-killswitch-source'],
  });
  try {
    for (let shift = waiting.shift(); shift !== undefined; shift = waiting.shift())
      onResult(await played(worker, shift));
  } finally {
    await worker.terminate();
  }
}

function played(worker: Worker, shift: Shift): Promise<ShiftResult> {
  return new Promise((resolve, reject) => {
    const ended = (code: number): void =>
      reject(new Error(`A thread ended with ${code} in the rounds from seed ${shift.from}`));
    worker.once('error', reject);
    worker.once('exit', ended);
    worker.once('message', (result: ShiftResult) => {
      worker.off('error', reject);
      worker.off('exit', ended);
      resolve(result);
    });
    worker.postMessage(shift);
  });
}
