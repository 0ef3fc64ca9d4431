import type { Mark } from '../mark-reader.ts';
import type { ProcessStat } from '../process-stat.ts';
import { Snapshot } from '../snapshot.ts';

export interface Made extends Partial<ProcessStat> {
  mark?: string;
  unread?: boolean;
}

/** Pid 1 and, below it, this very process (10) in its own session; the rest as given: `pid: [ppid, session, more]`. */
export function snapshotOf(
  processes: Record<number, readonly [ppid: number, session: number, more?: Made]>,
): Snapshot {
  const base = { kernelThread: false, alive: true, layout: 'x', environBytes: 1 };
  const stats: ProcessStat[] = [
    { ...base, pid: 1, ppid: 0, pgrp: 1, session: 1, startTime: 1 },
    { ...base, pid: 10, ppid: 1, pgrp: 10, session: 10, startTime: 10 },
  ];
  const marks = new Map<number, Mark>();
  for (const [key, [ppid, session, { mark, unread, ...more } = {}]] of Object.entries(processes)) {
    const pid = Number(key);
    stats.push({ ...base, pid, ppid, session, pgrp: session, startTime: pid, ...more });
    marks.set(pid, unread ? 'unread' : { agentId: mark });
  }
  return new Snapshot(stats, marks, 0, 10);
}
