import { readdirSync, readFileSync } from 'node:fs';

/** A process as seen in /proc, told apart from a later one with the same pid by its start time. */
export interface Seen {
  readonly pid: number;
  readonly startTime: string;
}

/** Every process that carries the agent's mark in its environment: looked up without any code of the library. */
export function processesOf(agentId: string): Seen[] {
  const found: Seen[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0');
      if (!environment.includes(`AGENT_KILLSWITCH_AGENT_ID=${agentId}`)) continue;
      const seen = look(Number(entry));
      if (seen !== undefined) found.push(seen);
    } catch {
      // It ended while it was looked at.
    }
  }
  return found;
}

export function isAlive({ pid, startTime }: Seen): boolean {
  return look(pid)?.startTime === startTime;
}

function look(pid: number): Seen | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTime = fields[19];
  return state === 'Z' || state === 'X' || startTime === undefined ? undefined : { pid, startTime };
}
