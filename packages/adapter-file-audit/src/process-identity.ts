import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/**
 * A process, told apart from a later one with the same pid. `startTime` (clock ticks since boot) and `bootId` come from
 * /proc and are `null` where there is none (macOS, Windows).
 */
export const processIdentitySchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string().nullable(),
  bootId: z.string().nullable(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

export async function ownIdentity(): Promise<ProcessIdentity> {
  const stat = await statOf(process.pid);
  return { pid: process.pid, startTime: stat?.startTime ?? null, bootId: await bootId() };
}

/** Whether that very process may still run. When in doubt, it does. */
export async function mayBeAlive(identity: ProcessIdentity): Promise<boolean> {
  const boot = await bootId();
  if (boot !== null && identity.bootId !== null && boot !== identity.bootId) return false;
  if (!exists(identity.pid)) return false;
  const stat = await statOf(identity.pid);
  if (stat === undefined) return exists(identity.pid);
  if (stat.state === 'Z' || stat.state === 'X') return false;
  return identity.startTime === null || identity.startTime === stat.startTime;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** proc(5): the name in brackets may hold anything, so fields are counted from the last bracket; state is the 3rd, start time the 22nd. */
async function statOf(pid: number): Promise<{ state: string; startTime: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}

async function bootId(): Promise<string | null> {
  return readFile('/proc/sys/kernel/random/boot_id', 'latin1').then(
    (text) => text.trim(),
    () => null,
  );
}
