import type { Handle, Observation } from '@agent-killswitch/core';
import { expectThat } from './clause.ts';
import {
  clause,
  contextOf,
  expectDeath,
  freshId,
  observe,
  pause,
  type RuntimeClause,
  settled,
  success,
} from './runtime-clause.ts';

/** The promises of `inspect` and `locate`, and what is said of handles and capabilities. */
export const lookClauses: readonly RuntimeClause[] = [
  clause('inspect sees a living agent alive, and does it no harm', async (runtime, factory) => {
    const id = freshId();
    const victim = await factory.startVictim(id);
    for (let look = 0; look < 5; look += 1) {
      const seen = await observe(runtime, id, victim.handle);
      expectThat(seen.state === 'alive', `the agent is observed alive, not ${seen.state}: ${seen.evidence}`);
      expectThat(await victim.isAlive(), 'the agent lives on');
      await pause();
    }
  }),

  clause('evidence is one line of words, for the living and for the dead (I4)', async (runtime, factory) => {
    const id = freshId();
    const victim = await factory.startVictim(id);
    expectOneLine(await observe(runtime, id, victim.handle));
    await success('kill', () => runtime.kill(victim.handle, contextOf(id)));
    expectOneLine(await expectDeath(runtime, id, victim));
  }),

  clause(
    'a malformed handle is refused by kill and force, and neither alive nor dead to inspect (I3)',
    async (runtime, factory) => {
      const id = freshId();
      const victim = await factory.startVictim(id);
      for (const handle of factory.malformedHandles ?? []) {
        const shown = describe(handle);
        for (const demand of ['kill', 'force'] as const) {
          const outcome = await settled(demand, () => runtime[demand](handle, contextOf(id)));
          expectThat(!outcome.ok, `${demand} of ${shown} rejects`);
          expectThat(outcome.error instanceof Error, `${demand} of ${shown} rejects with an Error`);
        }
        const look = await settled('inspect', () => runtime.inspect(handle, contextOf(id)));
        if (!look.ok) continue;
        expectThat(look.value.state === 'unknown', `${shown} is unknown to inspect, not ${look.value.state}`);
        expectOneLine(look.value);
      }
      expectThat(await victim.isAlive(), 'a living agent is not hit by a malformed handle');
    },
    'malformedHandles',
  ),

  clause(
    'locate, where offered, finds a living agent by handles that can kill it',
    async (runtime, factory) => {
      const id = freshId();
      const victim = await factory.startVictim(id);
      if (runtime.locate === undefined) return;
      const found = await success('locate', async () => runtime.locate?.(id, contextOf(id)) ?? []);
      expectThat(found.length > 0, 'locate finds the living agent');
      for (const handle of found) {
        const seen = await observe(runtime, id, handle);
        expectThat(seen.state === 'alive', `a located handle is observed alive, not ${seen.state}`);
      }
      for (const handle of found) await success('kill', () => runtime.kill(handle, contextOf(id)));
      await expectDeath(runtime, id, victim);
      const left = await success('locate', async () => runtime.locate?.(id, contextOf(id)) ?? []);
      expectThat(left.length === 0, 'locate finds nothing of a dead agent');
    },
  ),

  clause('locate, where offered, finds nothing of an unknown agent (I11)', async (runtime, factory) => {
    await factory.startVictim(freshId());
    if (runtime.locate === undefined) return;
    const id = freshId();
    const found = await success('locate', async () => runtime.locate?.(id, contextOf(id)) ?? []);
    expectThat(found.length === 0, `locate finds nothing of an agent that never was, not ${describe(found)}`);
  }),

  clause('reach and canForce say what the runtime can do', async (runtime) => {
    expectThat(['host', 'machine', 'network'].includes(runtime.reach), 'reach is host, machine or network');
    expectThat(typeof runtime.canForce === 'boolean', 'canForce is true or false');
  }),
];

function expectOneLine({ evidence }: Observation): void {
  expectThat(typeof evidence === 'string' && evidence.trim() !== '', 'evidence is not empty');
  expectThat(!/\p{Cc}|\u2028|\u2029/u.test(evidence), 'evidence is one line');
}

function describe(handle: Handle | readonly Handle[]): string {
  try {
    return JSON.stringify(handle) ?? String(handle);
  } catch {
    return 'a handle that cannot be shown';
  }
}
