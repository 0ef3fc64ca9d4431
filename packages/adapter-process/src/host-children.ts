import { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { Children } from './children.ts';
import { readStat } from './proc.ts';

let children: Children | undefined;

/**
 * What this process has started itself, by whichever code and in this thread, from the first call on: beyond doubt no agent
 * has. Should Node ever stop telling, it is empty, and more is doubted.
 */
export function hostChildren(): Children {
  if (children !== undefined) return children;
  const started = new Children();
  children = started;
  subscribe('child_process', (message) => {
    const child = childIn(message);
    // Nobody reaps it before this event is over.
    child?.once('spawn', () => {
      if (child.pid !== undefined) started.add(child.pid, startTimeOf(child.pid), child);
    });
  });
  return started;
}

function childIn(message: unknown): ChildProcess | undefined {
  if (typeof message !== 'object' || message === null || !('process' in message)) return undefined;
  return message.process instanceof ChildProcess ? message.process : undefined;
}

function startTimeOf(pid: number): number | undefined {
  try {
    return readStat(pid)?.startTime;
  } catch {
    return undefined;
  }
}
