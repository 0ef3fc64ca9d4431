import { randomBytes } from 'node:crypto';
import {
  createKillswitch,
  type Killswitch,
  type KillswitchOptions,
  type Principal,
} from '@agent-killswitch/core';
import { type MemoryAudit, memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { onTestFinished, vi } from 'vitest';
import { type Webhooks, type WebhooksOptions, webhooks } from '../../src/index.ts';

export const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
export const zoe: Principal = { id: 'zoe', kind: 'user', grants: [{ role: 'member', workspaceId: 'other' }] };
export const loopback: readonly string[] = ['127.0.0.1'];

export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export interface Site {
  readonly ks: Killswitch;
  readonly audit: MemoryAudit;
  /** Admits an agent and has it run, in a task `task-<agentId>`. */
  agent(agentId: string): Promise<void>;
  /** Kills its task. */
  kill(agentId: string): Promise<void>;
}

/** A killswitch in memory. */
export async function site(overrides: Partial<KillswitchOptions> = {}): Promise<Site> {
  const audit = memoryAudit();
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'host-1',
    state: memoryState(),
    audit,
    runtimes: { memory: runtime },
    lastResort: () => undefined,
    ...overrides,
  });
  onTestFinished(() => ks.close());
  await ks.start();
  return {
    ks,
    audit,
    async agent(agentId) {
      await ks.admit({ agentId, taskId: `task-${agentId}`, workspaceId: 'w', ownerId: 'mia' });
      await ks.running(agentId, [runtime.spawn()]);
    },
    async kill(agentId) {
      await ks.kill({ task: `task-${agentId}` }, { principal: root, reason: 'it went rogue' });
    },
  };
}

/** Webhooks that end with the test and pause shortly. */
export function hooked(
  ks: Killswitch,
  options: WebhooksOptions,
): Webhooks & { readonly troubles: readonly string[] } {
  const troubles: string[] = [];
  const hooks = webhooks(ks, {
    retry: { tries: 3, firstMs: 10, longestMs: 5_000 },
    attemptMs: 5_000,
    onTrouble: (line) => troubles.push(line),
    ...options,
  });
  onTestFinished(() => hooks.close(0));
  return { ...hooks, troubles };
}

/** Waits until it no longer throws, however busy the machine is. */
export function comes(expectation: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(expectation, { timeout: 15_000, interval: 10 });
}
