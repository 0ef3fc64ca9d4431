import { expect, it } from 'vitest';
import { createKillswitch } from './create-killswitch.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime } from './ports/runtime.ts';
import { patchedStore } from './testing/patched-store.ts';

it('I12: starts that fail and are tried again leave few calls hanging on agents that never answer', async () => {
  const clock = manualClock();
  const real = memoryState();
  const link = { isDown: false };
  const state = patchedStore(real, {
    listGates: async (key) => {
      if (link.isDown) throw new Error('connection refused');
      return real.listGates(key);
    },
  });
  const asked = { inspect: 0, locate: 0 };
  const never = (kind: keyof typeof asked) => () => {
    asked[kind] += 1;
    return new Promise<never>(() => undefined);
  };
  const deaf: Runtime = {
    reach: 'network',
    canForce: false,
    kill: async () => undefined,
    force: async () => undefined,
    inspect: never('inspect'),
    locate: never('locate'),
  };
  const boot = () =>
    createKillswitch({ hostId: 'host-1', state, audit: memoryAudit(), runtimes: { deaf }, clock });
  const before = boot();
  await before.start();
  for (const agentId of ['runs', 'spawns'])
    await before.admit({ agentId, taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
  await before.running('runs', [{ runtime: 'deaf' }]);
  await before.close();
  link.isDown = true;
  const ks = boot();
  for (let i = 0; i < 10; i += 1) {
    const start = expect(ks.start()).rejects.toMatchObject({ code: 'state-unavailable' });
    await clock.advance(2_000);
    await start;
  }
  expect(asked).toEqual({ inspect: 3, locate: 3 });
  await clock.advance(30_000);
  const start = expect(ks.start()).rejects.toMatchObject({ code: 'state-unavailable' });
  await clock.advance(2_000);
  await start;
  expect(asked).toEqual({ inspect: 4, locate: 4 });
  await ks.close();
});
