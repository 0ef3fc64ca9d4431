import type { Handle } from '../agent.ts';
import type { AuditEvent } from '../audit-event.ts';
import type { KillswitchOptions } from '../config.ts';
import { createKillswitch } from '../create-killswitch.ts';
import type { Killswitch } from '../killswitch.ts';
import { type ManualClock, manualClock } from '../memory/manual-clock.ts';
import { type MemoryAudit, memoryAudit } from '../memory/memory-audit.ts';
import { type MemoryBehaviour, type MemoryRuntime, memoryRuntime } from '../memory/memory-runtime.ts';
import { memoryState } from '../memory/memory-state.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { Principal } from '../principal.ts';

export const alice: Principal = {
  id: 'alice',
  kind: 'user',
  grants: [{ role: 'member', workspaceId: 'w1' }],
};
export const bob: Principal = { id: 'bob', kind: 'user', grants: [{ role: 'member', workspaceId: 'w1' }] };
export const admin: Principal = {
  id: 'adam',
  kind: 'user',
  grants: [{ role: 'workspace-admin', workspaceId: 'w1' }],
};
export const stranger: Principal = {
  id: 'zoe',
  kind: 'user',
  grants: [{ role: 'workspace-admin', workspaceId: 'w2' }],
};
export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
export const rogue: Principal = { id: 'bot', kind: 'agent', grants: [{ role: 'super-admin' }] };

export interface Harness {
  readonly ks: Killswitch;
  readonly clock: ManualClock;
  readonly state: StateStore;
  readonly audit: MemoryAudit;
  readonly runtime: MemoryRuntime;
  /** Lines that went to the last resort. */
  readonly lines: string[];
  /** Admits an agent of alice's and has it running. */
  agent(
    agentId: string,
    options?: {
      task?: string;
      workspace?: string;
      owner?: string;
      behaviour?: MemoryBehaviour;
      parent?: string;
      backend?: string;
    },
  ): Promise<Handle>;
  events<T extends AuditEvent['type']>(type: T): Array<Extract<AuditEvent, { type: T }>>;
  /** Runs `work` while time passes, at most `ms`. */
  during<T>(ms: number, work: Promise<T>): Promise<T>;
}

/** A started killswitch in memory, on a clock that stands still. */
export async function harness(overrides: Partial<KillswitchOptions> = {}): Promise<Harness> {
  const clock = manualClock();
  const audit = memoryAudit();
  const runtime = memoryRuntime();
  const lines: string[] = [];
  const options: KillswitchOptions = {
    hostId: 'host-1',
    state: memoryState(),
    audit,
    runtimes: { memory: runtime },
    clock,
    lastResort: (line) => lines.push(line),
    ...overrides,
  };
  const ks = createKillswitch(options);
  await ks.start();
  return {
    ks,
    clock,
    state: options.state,
    audit,
    runtime,
    lines,
    async agent(
      agentId,
      {
        task = `task-${agentId}`,
        workspace = 'w1',
        owner = 'alice',
        behaviour = 'cooperative',
        parent,
        backend = 'local',
      } = {},
    ) {
      await ks.admit({
        agentId,
        taskId: task,
        workspaceId: workspace,
        ownerId: owner,
        backendId: backend,
        parentId: parent,
      });
      const handle = runtime.spawn(behaviour);
      await ks.running(agentId, [handle]);
      return handle;
    },
    events: (type) =>
      audit
        .events()
        .filter((event): event is Extract<AuditEvent, { type: typeof type }> => event.type === type),
    async during(ms, work) {
      let done = false;
      const settle = (): void => {
        done = true;
      };
      work.then(settle, settle);
      for (let passed = 0; passed <= ms && !done; passed += 10) await clock.advance(10);
      if (!done) throw new Error(`Not done after ${ms} ms`);
      return work;
    },
  };
}
