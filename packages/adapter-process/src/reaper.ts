import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { markVariable } from './mark.ts';
import { readStat } from './proc.ts';
import { killProcess } from './signal.ts';

const script = 'sleep 10 >/dev/null & echo $!';
const probeMs = 2_000;
/** The marks of those that are on their way, so that nobody here takes them for orphans of theirs. Unforeseeable, and soon over. */
const probes = new Set<string>();

export const isProbe = (mark: string): boolean => probes.has(mark);

/**
 * Who becomes the parent of what this process's descendants leave behind, init or an ancestor that asked for it: found out by
 * leaving somebody behind, since the kernel tells it in no other way. `undefined` if that cannot be done.
 */
export async function ownReaper(): Promise<number | undefined> {
  const mark = `killswitch-probe-${randomUUID()}`;
  probes.add(mark);
  const parent = spawn('/bin/sh', ['-c', script], {
    env: { ...process.env, [markVariable]: mark },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: probeMs,
    killSignal: 'SIGKILL',
  });
  try {
    const [printed] = await Promise.all([text(parent.stdout), once(parent, 'close')]);
    const orphan = readStat(Number(printed));
    if (orphan === undefined) return undefined;
    killProcess(orphan);
    return orphan.ppid;
  } catch {
    // No shell here.
    return undefined;
  } finally {
    probes.delete(mark);
  }
}
