import { InvalidHandleError } from './errors.ts';
import { type ProcessHandle, parseHandle } from './handle.ts';
import type { Looker } from './looker.ts';
import type { Origin } from './origin.ts';
import { readStat } from './proc.ts';

export interface AdoptOptions {
  readonly agentId: string;
  /** Its start time, if you know it: refused if the pid belongs to a later process by now. */
  readonly startTime?: number;
}

/**
 * How long a look may take before the handle is given out without it. The look only helps to know the tree again after
 * its parents are gone.
 */
const lookMs = 2_000;

export async function adopt(
  pid: number,
  { agentId, startTime }: AdoptOptions,
  context: { readonly runtime: string; readonly origin: Origin; readonly looker: Looker },
): Promise<ProcessHandle> {
  const { runtime, origin, looker } = context;
  const stat = Number.isSafeInteger(pid) && pid > 1 ? readStat(pid) : undefined;
  if (!stat?.alive || (startTime !== undefined && startTime !== stat.startTime)) {
    throw new InvalidHandleError(`No process with pid ${pid} is running that could be adopted`);
  }
  const handle = parseHandle(
    { runtime, pid, startTime: stat.startTime, ...origin, ownSession: stat.session === pid },
    runtime,
  );
  const { tree } = await looker.look({ agentId, root: handle }, AbortSignal.timeout(lookMs));
  if (tree.holdsSelf) throw new InvalidHandleError(`pid ${pid} is an ancestor of this very process`);
  return handle;
}
