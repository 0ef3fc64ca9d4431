import { systemCode } from './errors.ts';
import { readStat } from './proc.ts';
import type { ProcessStat } from './process-stat.ts';

export type Signalled = 'signalled' | 'gone' | 'refused';

type Identity = Pick<ProcessStat, 'pid' | 'startTime'>;
type Signal = 'SIGKILL' | 'SIGTERM';

/**
 * A signal, by default SIGKILL, to exactly this process. Its identity is read again immediately before: between the two
 * system calls its pid would have to be reaped and given out anew to hit another.
 * @throws ProcUnreadableError
 */
export function killProcess(victim: Identity, signal: Signal = 'SIGKILL'): Signalled {
  return isStill(victim) ? send(victim.pid, signal) : 'gone';
}

/**
 * SIGKILL to a whole group at once: the kernel lets no member fork its way out of it.
 * @param witness a member; while it is one, the group's number belongs to this group
 * @throws ProcUnreadableError
 */
export function killGroup(pgrp: number, witness: Identity): Signalled {
  return isStill(witness)?.pgrp === pgrp ? send(-pgrp, 'SIGKILL') : 'gone';
}

function isStill(seen: Identity): ReturnType<typeof readStat> {
  const now = readStat(seen.pid);
  return now?.startTime === seen.startTime && now.alive ? now : undefined;
}

function send(target: number, signal: Signal): Signalled {
  try {
    process.kill(target, signal);
    return 'signalled';
  } catch (thrown) {
    return systemCode(thrown) === 'ESRCH' ? 'gone' : 'refused';
  }
}
