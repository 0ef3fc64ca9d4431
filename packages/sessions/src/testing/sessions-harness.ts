import { promiseRuntime, workerRuntime } from '@agent-killswitch/adapter-process';
import {
  type AuditEvent,
  createKillswitch,
  type Killswitch,
  type KillswitchOptions,
  type Principal,
} from '@agent-killswitch/core';
import { type MemoryAudit, memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { createSessions } from '../create-sessions.ts';
import type { SessionContext, Sessions, SessionTask } from '../sessions.ts';
import type { SessionsOptions } from '../sessions-options.ts';

const member = (id: string, workspaceId = 'w'): Principal => ({
  id,
  kind: 'user',
  grants: [{ role: 'member', workspaceId }],
});
export const ada: Principal = member('ada');
export const bob: Principal = member('bob');
export const stranger: Principal = member('zoe', 'elsewhere');
export const admin: Principal = {
  id: 'adam',
  kind: 'user',
  grants: [{ role: 'workspace-admin', workspaceId: 'w' }],
};
export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

export const adas = { ownerId: 'ada', workspaceId: 'w' } as const;
export const reason = 'it went rogue';

export interface Harness {
  readonly ks: Killswitch;
  readonly sessions: Sessions;
  readonly audit: MemoryAudit;
  events<T extends AuditEvent['type']>(type: T): Array<Extract<AuditEvent, { type: T }>>;
}

/** Sessions on a started killswitch in memory. */
export async function harness(
  options: Partial<KillswitchOptions> = {},
  more: Partial<SessionsOptions> = {},
): Promise<Harness> {
  const promises = promiseRuntime();
  const workers = workerRuntime();
  const audit = memoryAudit();
  const ks = createKillswitch({
    hostId: 'host-1',
    state: memoryState(),
    audit,
    runtimes: { promise: promises, worker: workers },
    lastResort: () => undefined,
    ...options,
  });
  await ks.start();
  return {
    ks,
    sessions: createSessions(ks, { promises, workers, ...more }),
    audit,
    events: (type) =>
      audit
        .events()
        .filter((event): event is Extract<AuditEvent, { type: typeof type }> => event.type === type),
  };
}

/** Ends when it is told to, with the reason. */
export const heeding: SessionTask<never> = ({ signal }) =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

/** A task that goes on until the test lets it end, and its context. */
export function held(): { task: SessionTask<void>; context: Promise<SessionContext>; end: () => void } {
  const context = Promise.withResolvers<SessionContext>();
  const end = Promise.withResolvers<void>();
  const task: SessionTask<void> = (given) => {
    context.resolve(given);
    return end.promise;
  };
  return { task, context: context.promise, end: end.resolve };
}
