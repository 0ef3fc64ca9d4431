import { type Doubt, doubtsOf } from './doubts.ts';
import type { KnownTree } from './known-processes.ts';
import type { OrphanClues } from './orphans.ts';
import type { SeenProcess, Snapshot } from './snapshot.ts';

/** Whose processes are looked for. */
export interface Target {
  readonly agentId: string;
  /** The process that the handle names; absent if only the mark is known. */
  readonly root?: Root;
}

export interface Root {
  readonly pid: number;
  readonly startTime: number;
  readonly ownSession: boolean;
  /** Absent if none of its descendants can be lost. */
  readonly orphans?: OrphanClues;
}

export interface AgentTree {
  /** All of the agent's processes, zombies included. */
  readonly processes: ReadonlySet<SeenProcess>;
  readonly alive: readonly SeenProcess[];
  readonly doubts: readonly Doubt[];
  /** Process groups of which every member is the agent's, and every later member will be. */
  readonly groups: readonly number[];
  /** Who may become the parent of its orphans: start time by pid. `undefined` if that cannot be told. */
  readonly reapers: ReadonlyMap<number, number> | undefined;
  /** Marks that its processes carry by right: the agent's, and the one its root has. */
  readonly marks: ReadonlySet<string>;
  /** This process itself, or an ancestor of it, is one of them. */
  readonly holdsSelf: boolean;
}

/**
 * Finds an agent's processes in a snapshot. A process is the agent's if any of this holds:
 * - it is the handle's process, by pid and start time;
 * - it carries the agent's mark;
 * - it was found to be the agent's earlier;
 * - its parent is the agent's, whatever mark it carries: a nested agent dies with the tree it lives in;
 * - it is in a session that was founded by a process of the agent's, and carries no other mark than the agent's or its
 *   root's. (A session can be founded and inherited, never joined.)
 */
export function treeOf(target: Target, snapshot: Snapshot, known: KnownTree): AgentTree {
  const { agentId, root } = target;
  const tree = new Set<SeenProcess>();
  const sessions = new Set<number>();
  const founders = new Map(known.sessions);
  const starts = new Map(known.members);
  if (root !== undefined) starts.set(root.pid, root.startTime);
  if (root?.ownSession) founders.set(root.pid, root.startTime);

  const seenRoot = root && snapshot.find(root.pid, root.startTime);
  const rootMark = seenRoot?.agentId;
  const reapers = reapersOf(seenRoot, snapshot) ?? known.reapers ?? recordedReapers(root);
  const marks = new Set([agentId, ...known.marks, ...(rootMark === undefined ? [] : [rootMark])]);
  const queue = [...snapshot.marked(agentId)];
  for (const [pid, startTime] of starts) {
    const process = snapshot.find(pid, startTime);
    if (process !== undefined) queue.push(process);
  }
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (tree.has(next)) continue;
    tree.add(next);
    queue.push(...snapshot.childrenOf(next));
    if (sessions.has(next.session) || !isFoundedByAgent(next, founders, snapshot)) continue;
    sessions.add(next.session);
    const members = snapshot.inSession(next.session);
    queue.push(...members.filter((member) => marks.has(member.agentId ?? agentId)));
  }
  const alive = [...tree].filter((process) => process.alive);
  return {
    processes: tree,
    alive,
    reapers,
    doubts: doubtsOf(target, snapshot, { tree, sessions, founders, reapers }),
    groups: wholeGroups(alive, snapshot, tree, sessions),
    marks,
    holdsSelf: [...tree].some((process) => snapshot.guarded.has(process.pid)),
  };
}

/**
 * Whether the session of this process, which is the agent's, was founded by one of the agent's. The kernel gives a
 * session's number to no other process while the session has a member: a living one of the agent's, here.
 */
function isFoundedByAgent(
  member: SeenProcess,
  founders: ReadonlyMap<number, number>,
  snapshot: Snapshot,
): boolean {
  if (member.pid === member.session) return true;
  const founded = founders.get(member.session);
  if (founded === undefined) return false;
  const holder = snapshot.get(member.session);
  return holder === undefined || holder.startTime === founded;
}

/**
 * Its ancestors: what loses its parent becomes the child of one of them, or of init. Of those that it lost itself none was one:
 * it would have become that one's child.
 */
function reapersOf(root: SeenProcess | undefined, snapshot: Snapshot): Map<number, number> | undefined {
  const ancestors = root && snapshot.ancestorsOf(root);
  const init = snapshot.get(1);
  if (ancestors === undefined || init === undefined) return undefined;
  return new Map([...ancestors, init].map(({ pid, startTime }) => [pid, startTime]));
}

function recordedReapers(root: Root | undefined): Map<number, number> | undefined {
  const reapers = root?.orphans?.reapers;
  return reapers && new Map(reapers.map(({ pid, startTime }) => [pid, startTime]));
}

function wholeGroups(
  alive: readonly SeenProcess[],
  snapshot: Snapshot,
  tree: ReadonlySet<SeenProcess>,
  sessions: ReadonlySet<number>,
): number[] {
  const groups = new Set(alive.filter((process) => sessions.has(process.session)).map(({ pgrp }) => pgrp));
  return [...groups].filter((pgrp) => pgrp > 1 && snapshot.inGroup(pgrp).every((member) => tree.has(member)));
}
