import { withinSignal } from '@agent-killswitch/core';
import { type AgentTree, type Target, treeOf } from './agent-tree.ts';
import { cgroupLines } from './cgroup-lines.ts';
import { cgroupNamespace } from './cgroup-mount.ts';
import type { Doubt } from './doubts.ts';
import { hostChildren } from './host-children.ts';
import { KnownProcesses, type KnownTree } from './known-processes.ts';
import { orphansOf } from './orphans.ts';
import { isProbe } from './reaper.ts';
import { Scanner } from './scanner.ts';
import { SharedRun } from './shared-run.ts';
import type { Snapshot } from './snapshot.ts';

export interface Look {
  readonly tree: AgentTree;
  readonly snapshot: Snapshot;
  /** Whether it saw all there was to see: no process in doubt, and none that came and went unseen. */
  readonly clear: boolean;
  /** What was known of the agent, this look included. */
  readonly known: KnownTree;
}

const surelyLooks = 5;

/** Looks at agents' process trees: all that look at the same time share a scan, and what they find is remembered. */
export class Looker {
  readonly #known = new KnownProcesses();
  readonly #scans: SharedRun<Snapshot>;
  /** Each process of a snapshot is asked for its cgroups once, for however many agents. */
  readonly #cgroups = new WeakMap<Snapshot, Map<number, string | undefined>>();

  constructor() {
    const scanner = new Scanner();
    // From now on.
    hostChildren();
    this.#scans = new SharedRun(() => scanner.scan());
  }

  get scans(): number {
    return this.#scans.runs;
  }

  /** @throws ProcUnreadableError, or the signal's reason */
  async look(target: Target, signal: AbortSignal): Promise<Look> {
    const snapshot = await withinSignal(this.#scans.next(), signal);
    const found = treeOf(target, snapshot, this.#known.of(target.agentId));
    const tree = { ...found, doubts: [...found.doubts, ...this.#orphans(target, snapshot, found)] };
    if (!tree.holdsSelf) this.#known.remember(target.agentId, tree, snapshot);
    const clear = tree.doubts.length === 0 && snapshot.missed === 0;
    return { tree, snapshot, clear, known: this.#known.of(target.agentId) };
  }

  /**
   * Looks again, a few times, until the look is clear: a process that execs at one moment can be told at the next.
   * @throws ProcUnreadableError, or the signal's reason
   */
  async lookSurely(target: Target, signal: AbortSignal): Promise<Look> {
    for (let looks = 1; ; looks += 1) {
      const look = await this.look(target, signal);
      if (look.clear || looks >= surelyLooks) return look;
    }
  }

  #orphans({ agentId, root }: Target, snapshot: Snapshot, tree: AgentTree): readonly Doubt[] {
    if (root?.orphans === undefined) return [];
    const cgroups = this.#cgroups.get(snapshot) ?? new Map<number, string | undefined>();
    this.#cgroups.set(snapshot, cgroups);
    return orphansOf({ ...root, orphans: root.orphans }, snapshot, tree, {
      cgroupNamespace: cgroupNamespace(),
      cgroupLines(pid) {
        if (!cgroups.has(pid)) cgroups.set(pid, cgroupLines(pid));
        return cgroups.get(pid);
      },
      isOthers: (process) =>
        hostChildren().has(process.pid, process.startTime) || this.#known.isOthers(agentId, process),
      isKnownAgent: (mark) => isProbe(mark) || this.#known.isLive(mark, snapshot),
    });
  }

  /** The process that an agent was started as. */
  note(agentId: string, process: { readonly pid: number; readonly startTime: number }): void {
    this.#known.note(agentId, process);
  }

  forget(agentId: string): void {
    this.#known.forget(agentId);
  }
}
