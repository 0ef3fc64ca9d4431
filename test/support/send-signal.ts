import { readdirSync, readFileSync } from 'node:fs';

/**
 * Sends a signal; after SIGSTOP every thread of the process has stopped when this returns. A stop reaches the threads of
 * a busy process one after the other, and what has not stopped yet may still answer.
 * @throws Error `ESRCH` if there is no such process; if it has not stopped within 5 s
 */
export function sendSignal(pid: number, name: NodeJS.Signals): void {
  process.kill(pid, name);
  if (name !== 'SIGSTOP') return;
  const deadline = performance.now() + 5_000;
  while (!hasStopped(pid))
    if (performance.now() > deadline) throw new Error(`Process ${pid} has not stopped`);
}

/** Stopped, or gone. */
function hasStopped(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  try {
    return readdirSync(threads).every((thread) =>
      /^State:\s+[TZX]/m.test(readFileSync(`${threads}/${thread}/status`, 'utf8')),
    );
  } catch {
    // A thread has ended meanwhile: look again, unless the process has.
    return !isThere(pid);
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
