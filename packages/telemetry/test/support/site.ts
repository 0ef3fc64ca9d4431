import {
  type AuditEvent,
  createKillswitch,
  type Killswitch,
  type KillswitchOptions,
  type Principal,
} from '@agent-killswitch/core';
import {
  type ManualClock,
  type MemoryAudit,
  type MemoryBehaviour,
  type MemoryRuntime,
  manualClock,
  memoryAudit,
  memoryRuntime,
  memoryState,
} from '@agent-killswitch/core/memory';
import { onTestFinished } from 'vitest';

export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
export const zoe: Principal = { id: 'zoe', kind: 'user', grants: [{ role: 'member', workspaceId: 'other' }] };

export interface Site {
  readonly ks: Killswitch;
  readonly clock: ManualClock;
  readonly audit: MemoryAudit;
  readonly runtime: MemoryRuntime;
  /** Admits an agent in a task `task-<agentId>` of workspace `w` and has it run. */
  agent(agentId: string, behaviour?: MemoryBehaviour, taskId?: string): Promise<void>;
  /** How many facts of each kind are on record. */
  onRecord<T extends AuditEvent['type']>(
    type: T,
    of?: (event: Extract<AuditEvent, { type: T }>) => boolean,
  ): number;
  /** Lets time pass until it is done. */
  passing<T>(work: Promise<T>): Promise<T>;
}

/** A started killswitch in memory, on a clock that stands still. */
export async function site(overrides: Partial<KillswitchOptions> = {}): Promise<Site> {
  const clock = manualClock();
  const audit = memoryAudit();
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'host-1',
    state: memoryState(),
    audit,
    runtimes: { memory: runtime },
    clock,
    lastResort: () => undefined,
    ...overrides,
  });
  await ks.start();
  onTestFinished(() => void ks.close().catch(() => undefined));
  return {
    ks,
    clock,
    audit,
    runtime,
    async agent(agentId, behaviour = 'cooperative', taskId = `task-${agentId}`) {
      await ks.admit({ agentId, taskId, workspaceId: 'w', ownerId: 'mia' });
      await ks.running(agentId, [runtime.spawn(behaviour)]);
    },
    onRecord: (type, of = () => true) =>
      audit
        .events()
        .filter((event): event is Extract<AuditEvent, { type: typeof type }> => event.type === type)
        .filter(of).length,
    async passing(work) {
      let isDone = false;
      const done = (): void => {
        isDone = true;
      };
      work.then(done, done);
      while (!isDone) await clock.advance(50);
      return work;
    },
  };
}
