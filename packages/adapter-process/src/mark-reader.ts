import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { environBuffer, readEnviron } from './environ.ts';
import { ProcUnreadableError, systemCode } from './errors.ts';
import { markIn } from './mark.ts';
import { ownerOf, readStat } from './proc.ts';
import type { ProcessStat } from './process-stat.ts';

/**
 * `unread`: it could not be told whether the process carries a mark: it hangs, is in the middle of an exec, or has ended
 * since, perhaps leaving a child. Another look may tell.
 */
export type Mark = { readonly agentId: string | undefined } | 'unread';

/** What a process shows that was started with an empty environment. An empty answer means that it cannot be told. */
const noEnviron = '\0';

interface Answer {
  readonly startTime: number;
  readonly layout: string;
  readonly mark: Mark;
}

/** Reads at a time; a hung one keeps its lane, so that at most this many of Node's four I/O threads are ever lost. */
const laneCount = 2;
/** How long one read may take before its lane is given up. A healthy one takes 50 µs. */
const patienceMs = 250;
/** Rounds in which a process is asked that execs at the very moment, and the pause between them. */
const rounds = 3;
const roundMs = 1;

/**
 * Reads which agent every process is marked with. An answer is kept until the process execs, which moves its memory
 * layout; so a scan of a quiet machine reads nothing here.
 *
 * Invariant: `#known` holds only processes of the latest round, `#hung` only reads that have not come back.
 */
export class MarkReader {
  #known = new Map<number, Answer>();
  readonly #hung = new Set<string>();
  readonly #readsAll = mayReadAll();

  /** Never takes longer than two {@link patienceMs} beyond the reading itself. */
  async read(processes: readonly ProcessStat[]): Promise<Map<number, Mark>> {
    const before = this.#known;
    const marks = new Map<number, Mark>();
    const missing: ProcessStat[] = [];
    this.#known = new Map();
    for (const stat of processes) {
      const answer = before.get(stat.pid);
      if (answer?.startTime !== stat.startTime) {
        missing.push(stat);
        marks.set(stat.pid, 'unread');
        continue;
      }
      // Also where it has to be asked anew: what was no agent's before its exec is none's in the middle of it.
      marks.set(stat.pid, answer.mark);
      this.#known.set(stat.pid, answer);
      if (answer.layout !== stat.layout) missing.push(stat);
    }
    for (let round = 0; round < rounds && missing.length > 0; round += 1) {
      if (round > 0) await pause(roundMs);
      const queue = missing.splice(0).values();
      const free = Math.max(0, laneCount - this.#hung.size);
      await Promise.all(Array.from({ length: free }, () => this.#lane(queue, marks, missing)));
    }
    return marks;
  }

  /** Adds to `marks` what it finds out, and to `later` what is in the middle of an exec. */
  async #lane(queue: Iterator<ProcessStat>, marks: Map<number, Mark>, later: ProcessStat[]): Promise<void> {
    const buffer = environBuffer();
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const stat = next.value;
      const identity = `${stat.pid} ${stat.startTime}`;
      if (this.#hung.has(identity)) continue;
      const reading = this.#look(stat, buffer);
      const mark = await within(patienceMs, reading);
      if (mark === undefined) {
        this.#hung.add(identity);
        void reading.catch(() => 'unread').finally(() => this.#hung.delete(identity));
        return;
      }
      if (mark === 'unread') later.push(stat);
      else if (mark !== 'vanished') marks.set(stat.pid, mark);
    }
  }

  async #look(seen: ProcessStat, buffer: Buffer): Promise<Mark | 'vanished'> {
    const stat = readStat(seen.pid);
    if (stat?.startTime !== seen.startTime || !stat.alive) return 'vanished';
    const { pid, startTime, layout, environBytes } = stat;
    if (layout === undefined) return this.#mayRead(pid) ? 'unread' : { agentId: undefined };
    const environ = environBytes > 0 ? await environOf(pid, buffer) : noEnviron;
    if (environ === 'unreadable') return { agentId: undefined };
    if (environ === '') return 'unread';
    const mark = { agentId: markIn(environ) };
    this.#known.set(pid, { startTime, layout, mark });
    return mark;
  }

  #mayRead(pid: number): boolean {
    return this.#readsAll || ownerOf(pid) === process.geteuid?.();
  }
}

/** Whether this process has CAP_SYS_PTRACE, with which the kernel shows it every process's environment. */
function mayReadAll(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 19n) & 1n) === 1n;
}

/** Empty also for a process that is just gone: the next round tells. */
async function environOf(pid: number, buffer: Buffer): Promise<string | 'unreadable'> {
  try {
    return await readEnviron(pid, buffer);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    if (code === 'EACCES' || code === 'EPERM') return 'unreadable';
    throw new ProcUnreadableError(`/proc/${pid}/environ cannot be read: ${code}`, { cause });
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
