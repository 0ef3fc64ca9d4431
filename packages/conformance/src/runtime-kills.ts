import { expectThat } from './clause.ts';
import {
  clause,
  contextOf,
  expectDeath,
  freshId,
  observe,
  type RuntimeClause,
  settled,
  success,
} from './runtime-clause.ts';

const demands = ['kill', 'force'] as const;

/** The promises of `kill` and `force`. */
export const killClauses: readonly RuntimeClause[] = [
  ...demands.map((demand) =>
    clause(`${demand} ends a living agent, and inspect sees it dead (I3)`, async (runtime, factory) => {
      const id = freshId();
      const victim = await factory.startVictim(id);
      await success(demand, () => runtime[demand](victim.handle, contextOf(id)));
      await expectDeath(runtime, id, victim);
    }),
  ),

  ...demands.map((demand) =>
    clause(`${demand} touches no other agent (I11)`, async (runtime, factory) => {
      const [id, otherId] = [freshId(), freshId()];
      const victim = await factory.startVictim(id);
      const other = await factory.startVictim(otherId);
      await success(demand, () => runtime[demand](victim.handle, contextOf(id)));
      await expectDeath(runtime, id, victim);
      expectThat(await other.isAlive(), 'the other agent lives');
      const seen = await observe(runtime, otherId, other.handle);
      expectThat(seen.state === 'alive', `the other agent is observed alive, not ${seen.state}`);
    }),
  ),

  clause('kill and force are idempotent: again and at once is fine', async (runtime, factory) => {
    const id = freshId();
    const victim = await factory.startVictim(id);
    await Promise.all(
      [...demands, ...demands].map((demand) =>
        success(`a concurrent ${demand}`, () => runtime[demand](victim.handle, contextOf(id))),
      ),
    );
    await expectDeath(runtime, id, victim);
  }),

  clause('kill and force of an agent that is dead already are fine', async (runtime, factory) => {
    const id = freshId();
    const victim = await factory.startVictim(id);
    await success('kill', () => runtime.kill(victim.handle, contextOf(id)));
    await expectDeath(runtime, id, victim);
    for (const demand of demands) {
      await success(`${demand} of a dead agent`, () => runtime[demand](victim.handle, contextOf(id)));
      const seen = await observe(runtime, id, victim.handle);
      expectThat(seen.state === 'dead', `it is still observed dead, not ${seen.state}`);
    }
  }),

  clause('many agents killed at once all die', async (runtime, factory) => {
    const agents = [];
    for (let n = 0; n < 10; n += 1) {
      const id = freshId();
      agents.push({ id, victim: await factory.startVictim(id) });
    }
    await Promise.all(
      agents.map(({ id, victim }) =>
        success('a concurrent kill', () => runtime.kill(victim.handle, contextOf(id))),
      ),
    );
    await Promise.all(agents.map(({ id, victim }) => expectDeath(runtime, id, victim)));
  }),

  clause('a handle works after a trip through JSON, as a store makes it', async (runtime, factory) => {
    const id = freshId();
    const victim = await factory.startVictim(id);
    const handle = JSON.parse(JSON.stringify(victim.handle));
    const seen = await observe(runtime, id, handle);
    expectThat(seen.state === 'alive', `the agent is observed alive, not ${seen.state}: ${seen.evidence}`);
    await success('kill', () => runtime.kill(handle, contextOf(id)));
    await expectDeath(runtime, id, { ...victim, handle });
  }),

  clause('a call whose time is up settles at once and harms nothing', async (runtime, factory) => {
    const id = freshId();
    const victim = await factory.startVictim(id);
    const late = { agentId: id, signal: AbortSignal.abort() };
    for (const demand of demands) {
      await settled(`a late ${demand}`, () => runtime[demand](victim.handle, late));
    }
    const seen = await success('a late inspect', () => runtime.inspect(victim.handle, late));
    const alive = await victim.isAlive();
    expectThat(seen.state !== 'dead' || !alive, 'a late inspect calls no living agent dead');
    await success('the next kill', () => runtime.kill(victim.handle, contextOf(id)));
    await expectDeath(runtime, id, victim);
  }),

  clause(
    'what reaches beyond its host kills an agent that another host started (I6)',
    async (_, factory) => {
      const id = freshId();
      const victim = await factory.startVictim(id);
      const other = await factory.openSecond?.();
      expectThat(other !== undefined, 'there is a second runtime');
      const seen = await observe(other, id, victim.handle);
      expectThat(seen.state === 'alive', `it sees the agent alive, not ${seen.state}: ${seen.evidence}`);
      await success('kill', () => other.kill(victim.handle, contextOf(id)));
      await expectDeath(other, id, victim);
    },
    'openSecond',
  ),
];
