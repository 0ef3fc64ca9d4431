/** What one line of `/proc/<pid>/stat` says (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Clock ticks since boot. With the pid it names one process for as long as the machine is up. */
  readonly startTime: number;
  /** It still runs, or a thread of it does. A zombie is dead: only its exit status is left. */
  readonly alive: boolean;
  readonly kernelThread: boolean;
  /**
   * Where its memory and environment lie: changes with every exec. `undefined` if it has none to show: in the middle of an
   * exec, or not readable by this process.
   */
  readonly layout: string | undefined;
  /** Its environment's size in bytes, as of its start. */
  readonly environBytes: number;
}

const kernelThreadFlag = 0x0020_0000;

/** `undefined` if the text is no stat line. The command in it may hold spaces, parentheses and line breaks. */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return undefined;
  const rest = text.slice(close + 2).split(' ');
  /** By their number in the manual page, which counts from 1; what follows the command is number 3. */
  const field = (number: number): string => rest[number - 3] ?? '';
  const numbers = [
    Number(text.slice(0, open)),
    ...[4, 5, 6, 9, 20, 22].map((number) => Number(field(number))),
  ];
  const [pid = -1, ppid = -1, pgrp = -1, session = -1, flags = 0, threads = 0, startTime = -1] = numbers;
  if (field(22) === '' || !numbers.every(Number.isSafeInteger)) return undefined;
  const state = field(3);
  return {
    pid,
    ppid,
    pgrp,
    session,
    startTime,
    // A process whose first thread has ended while others run shows as a zombie with more than one thread.
    alive: state !== 'X' && state !== 'x' && (state !== 'Z' || threads > 1),
    kernelThread: (flags & kernelThreadFlag) !== 0,
    layout: Number(field(51)) > 0 ? `${text.slice(open, close)} ${rest.slice(42, 49).join(' ')}` : undefined,
    environBytes: Number(field(51)) - Number(field(50)),
  };
}
