import { createKillswitch } from '../create-killswitch.ts';
import { manualClock } from '../memory/manual-clock.ts';
import { memoryAudit } from '../memory/memory-audit.ts';
import { memoryRuntime } from '../memory/memory-runtime.ts';
import { memoryState } from '../memory/memory-state.ts';

/** Whatever the port's calls of a dead host would still do, they no longer do. */
export function mortal<T extends object>(port: T, host: { dead: boolean }): T {
  return new Proxy(port, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) =>
        host.dead
          ? new Promise(() => undefined)
          : (member as (...args: unknown[]) => unknown).apply(target, args);
    },
  });
}

/** One machine whose killswitch process can die and come back. */
export function machine() {
  const clock = manualClock();
  const state = memoryState();
  const audit = memoryAudit();
  const runtime = memoryRuntime();
  const cleaned: string[] = [];
  const cleanup = [
    {
      name: 'worktree',
      appliesTo: () => true,
      run: async (agent: { agentId: string }) => void cleaned.push(agent.agentId),
    },
  ];
  const boot = async () => {
    const host = { dead: false };
    const ks = createKillswitch({
      hostId: 'host-1',
      state: mortal(state, host),
      audit: mortal(audit, host),
      runtimes: { memory: mortal(runtime, host) },
      cleanup: cleanup.map((step) => mortal(step, host)),
      clock,
      lastResort: () => undefined,
    });
    await ks.start();
    return { ks, host };
  };
  return { clock, state, audit, runtime, cleaned, boot };
}
