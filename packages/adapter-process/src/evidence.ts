import type { Doubt } from './doubts.ts';
import type { Snapshot } from './snapshot.ts';

const named = 10;

/** For example `pid 71, 72 and 3 more`. */
export function pids(processes: readonly { readonly pid: number }[]): string {
  const list = processes.slice(0, named).map((process) => process.pid);
  const more = processes.length > named ? ` and ${processes.length - named} more` : '';
  return `pid ${list.join(', ')}${more}`;
}

/** For example `pid 80 (in session 71, whose leader is gone)`. */
export function doubtful(doubts: readonly Doubt[]): string {
  const list = doubts.slice(0, named).map(({ process, because }) => `pid ${process.pid} (${because})`);
  const more = doubts.length > named ? ` and ${doubts.length - named} more` : '';
  return `${list.join(', ')}${more}`;
}

/** For example `pid 71 and 3 descendants gone from /proc`. */
export function death(
  root: { readonly pid: number; readonly startTime: number },
  descendants: number,
  snapshot: Snapshot,
): string {
  const holder = snapshot.get(root.pid);
  const others = `${descendants} descendant${descendants === 1 ? '' : 's'}`;
  if (holder === undefined) {
    const both = descendants === 0 ? `pid ${root.pid}` : `pid ${root.pid} and ${others}`;
    return `${both} gone from /proc`;
  }
  const rest = descendants === 0 ? '' : `, ${others} gone from /proc`;
  return holder.startTime === root.startTime
    ? `pid ${root.pid} is a zombie: dead, not yet reaped by its parent ${holder.ppid}${rest}`
    : `pid ${root.pid} gone from /proc: its number belongs to a later process${rest}`;
}
