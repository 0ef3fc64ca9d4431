import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UnsupportedPlatformError } from './errors.ts';
import { processIdentitySchema } from './handle.ts';
import { originHere, placeOf } from './origin.ts';
import { mayExist, readStat } from './proc.ts';

/** One runtime in one life of its host, in whose memory agents live: they end with the process at the latest. */
export const hostLifeSchema = z.strictObject({
  instance: z.uuid(),
  /** Absent where processes cannot be told apart: then the end of this life cannot be seen from another. */
  process: processIdentitySchema.extend({ pid: z.number().int().positive() }).exactOptional(),
});
export type HostLife = z.infer<typeof hostLifeSchema>;

/** @param machineId see the options */
export function lifeHere(machineId: string | undefined): HostLife {
  const instance = randomUUID();
  try {
    const origin = originHere(machineId);
    const startTime = readStat(process.pid)?.startTime;
    if (startTime !== undefined) return { instance, process: { pid: process.pid, startTime, ...origin } };
  } catch (thrown) {
    if (!(thrown instanceof UnsupportedPlatformError)) throw thrown;
  }
  return { instance };
}

export interface Fate {
  /** `here`: this very life. `gone`: over, and all that lived in it. `elsewhere`: it goes on, or that cannot be told. */
  readonly fate: 'here' | 'gone' | 'elsewhere';
  readonly because: string;
}

/** @throws ProcUnreadableError */
export function fateOf(life: HostLife, here: HostLife, ownNamespace: boolean): Fate {
  if (life.instance === here.instance) return { fate: 'here', because: '' };
  const [then, now] = [life.process, here.process];
  if (then === undefined || now === undefined) {
    return {
      fate: 'elsewhere',
      because: 'it lives in another runtime, and processes cannot be told apart here',
    };
  }
  const { pid, startTime } = then;
  const name = `process ${pid}, in which it lived,`;
  const { place, because } = placeOf(then, now, ownNamespace);
  if (place !== 'here') return { fate: place, because: `${name} cannot be looked at: ${because}` };
  const stat = readStat(pid);
  if (stat === undefined) {
    return mayExist(pid)
      ? { fate: 'elsewhere', because: `${name} may be hidden from this user` }
      : { fate: 'gone', because: `${name} is gone from /proc` };
  }
  if (stat.startTime !== startTime) {
    return { fate: 'gone', because: `${name} is gone from /proc: its number belongs to a later process` };
  }
  if (!stat.alive) return { fate: 'gone', because: `${name} is a zombie: dead, not yet reaped` };
  const which = pid === process.pid ? 'another runtime of this very process' : `process ${pid}, which runs`;
  return { fate: 'elsewhere', because: `it lives in ${which}: only there can it be told to end` };
}
