import { z } from 'zod';
import { canBeBornOf } from './cgroup-lines.ts';
import type { Doubt } from './doubts.ts';
import type { SeenProcess, Snapshot } from './snapshot.ts';

/**
 * By what the orphans are told that an adopted process may have lost: no mark speaks for them, so whoever might be one keeps
 * the agent from being called dead.
 */
export const orphanCluesSchema = z.strictObject({
  /**
   * Whose children its orphans become: its ancestors when it was adopted; and its parent, to which it can give children as its
   * own siblings. Absent if that cannot be told.
   */
  reapers: z
    .array(z.strictObject({ pid: z.number().int().positive(), startTime: z.number().int().nonnegative() }))
    .max(1_000)
    .exactOptional(),
  /** Its own `/proc/<pid>/cgroup`, which what is born of it shares. */
  cgroups: z.string().max(50_000),
  /** The cgroup namespace in which that means anything. */
  cgroupNamespace: z.string().max(100),
});
export type OrphanClues = z.infer<typeof orphanCluesSchema>;

export interface Adopted {
  readonly pid: number;
  readonly startTime: number;
  readonly orphans: OrphanClues;
}

/** What else has to be known of the processes of a snapshot. */
export interface Witnesses {
  readonly cgroupNamespace: string;
  /** Its lines of `/proc/<pid>/cgroup`; `undefined` if it is gone. */
  cgroupLines(pid: number): string | undefined;
  /** It was found to be another agent's, or this host has started it. */
  isOthers(process: SeenProcess): boolean;
  /** A process is known of that agent, and lives. A mark alone says nothing: anybody can write one. */
  isKnownAgent(agentId: string): boolean;
}

/**
 * Who may be an orphan of an adopted process's tree: a child of one who gets its orphans, younger than it, in its cgroups, with
 * no mark of another agent that is known.
 * @param tree what is surely the agent's
 * @param marks that its processes carry by right
 */
export function orphansOf(
  { startTime, orphans: { reapers, cgroups, cgroupNamespace } }: Adopted,
  snapshot: Snapshot,
  { processes, marks }: { readonly processes: ReadonlySet<SeenProcess>; readonly marks: ReadonlySet<string> },
  witnesses: Witnesses,
): Doubt[] {
  const isElsewhere = ({ pid }: SeenProcess): boolean => {
    if (cgroupNamespace !== witnesses.cgroupNamespace) return false;
    const lines = witnesses.cgroupLines(pid);
    // One that is gone by now may have left a child.
    return lines !== undefined && !canBeBornOf(lines, cgroups);
  };
  const suspects = childrenOf(reapers, snapshot).filter(
    (process) =>
      process.alive &&
      process.startTime >= startTime &&
      !processes.has(process) &&
      !snapshot.guarded.has(process.pid) &&
      (process.agentId === undefined ||
        marks.has(process.agentId) ||
        !witnesses.isKnownAgent(process.agentId)) &&
      !witnesses.isOthers(process) &&
      !isElsewhere(process),
  );
  return suspects.map((process) => ({
    process,
    because: `an orphan that started after it, in its cgroup${foreignMark(process, marks)}`,
  }));
}

function foreignMark({ agentId }: SeenProcess, marks: ReadonlySet<string>): string {
  if (agentId === undefined || marks.has(agentId)) return '';
  return `, marked as agent ${agentId}, which is not known here`;
}

function childrenOf(reapers: OrphanClues['reapers'], snapshot: Snapshot): readonly SeenProcess[] {
  if (reapers === undefined) return snapshot.all();
  return reapers.flatMap(({ pid, startTime }) => {
    const reaper = snapshot.find(pid, startTime);
    return reaper === undefined ? [] : snapshot.childrenOf(reaper);
  });
}
