import { withinSignal } from '@agent-killswitch/core';
import { UncertainVictimError } from './errors.ts';
import { type FoundHome, type Homes, homesOf } from './find-homes.ts';
import type { CgroupRef } from './home.ts';
import { locate, maxRoots } from './locate.ts';
import type { Looker } from './looker.ts';
import type { ProcessStat } from './process-stat.ts';
import type { SharedRun } from './shared-run.ts';

/** A process by which an agent can be reached, and the cgroup it is in or on its way into. */
export interface Located {
  readonly process: ProcessStat;
  readonly cgroup: CgroupRef | undefined;
}

/**
 * An agent's top-most processes by mark, and for each of its cgroups one that lives in there, whatever it carries.
 * @throws InvalidHandleError, UncertainVictimError, ProcUnreadableError, or the signal's reason
 */
export async function locateAgent(
  looker: Looker,
  walks: SharedRun<Homes>,
  agentId: string,
  signal: AbortSignal,
): Promise<readonly Located[]> {
  let roots: readonly ProcessStat[] = [];
  let doubt: unknown;
  try {
    roots = await locate(looker, agentId, signal);
  } catch (thrown) {
    if (!(thrown instanceof UncertainVictimError)) throw thrown;
    doubt = thrown;
  }
  // After the marks: what was on its way into its cgroup was seen by its mark, or is in there now.
  const homes = homesOf(agentId, await withinSignal(walks.next(), signal));
  const marked = roots.map((process) => ({ process, cgroup: homeFor(process, homes)?.ref }));
  const hidden = homes
    .filter(({ ref }) => marked.every(({ cgroup }) => cgroup !== ref))
    .flatMap(({ ref, members }) => members.slice(0, 1).map((process) => ({ process, cgroup: ref })));
  const located = [...hidden, ...marked].slice(0, maxRoots);
  if (located.length > 0) return located;
  if (doubt !== undefined) throw doubt;
  const opaque = homes.find(({ isOpaque }) => isOpaque);
  if (opaque !== undefined) {
    throw new UncertainVictimError(`Nobody can be seen from here in ${opaque.ref.path}, which is not empty`);
  }
  return located;
}

function homeFor({ pid }: ProcessStat, homes: readonly FoundHome[]): FoundHome | undefined {
  return homes.find(({ members }) => members.some((member) => member.pid === pid)) ?? homes[0];
}
