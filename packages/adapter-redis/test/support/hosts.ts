import { type ProcessRuntime, processRuntime } from '@agent-killswitch/adapter-process';
import {
  type AuditSink,
  createKillswitch,
  type Killswitch,
  type KillswitchOptions,
  type Principal,
  type StateStore,
} from '@agent-killswitch/core';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { onTestFinished } from 'vitest';

export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

/** A host with real processes as agents. */
export interface Host {
  readonly ks: Killswitch;
  readonly runtime: ProcessRuntime;
  readonly audit: AuditSink;
  /** Starts an agent that ignores SIGTERM, of task `t` in workspace `w` unless said otherwise; resolves with its pid. */
  spawn(agentId: string, where?: { readonly taskId: string; readonly workspaceId: string }): Promise<number>;
}

export async function hostOf(
  hostId: string,
  state: StateStore,
  audit: AuditSink = memoryAudit(),
  more: Pick<KillswitchOptions, 'deadlines' | 'onLeaseLost'> = {},
): Promise<Host> {
  const runtime = processRuntime();
  const ks = createKillswitch({
    ...{ hostId, state, audit, runtimes: { process: runtime }, lastResort: () => {} },
    ...more,
  });
  onTestFinished(() => ks.close().catch(() => undefined));
  await ks.start();
  const spawn: Host['spawn'] = async (agentId, where = { taskId: 't', workspaceId: 'w' }) => {
    await ks.admit({ agentId, ...where, ownerId: 'o' });
    const stubborn = "trap '' TERM; while :; do sleep 1; done";
    const { handle } = await runtime.spawnAgent('sh', ['-c', stubborn], { agentId });
    await ks.running(agentId, [handle]);
    return handle.pid;
  };
  return { ks, runtime, audit, spawn };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
