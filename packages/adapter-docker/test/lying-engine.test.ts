/**
 * An engine, or something before it, that tells lies about containers of this machine: what can be seen here counts, whatever it
 * says. No demand that is made of it has an effect.
 * @services docker
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentLabels, type DockerHandle } from '../src/index.ts';
import { exited, noSuch, running, stateAnswer } from './support/answers.ts';
import { create, pidsOf, run } from './support/containers.ts';
import { type Answer, FaultyEngine } from './support/faulty-engine.ts';
import { withEngine } from './support/with-engine.ts';
import { outcomeOf, type World, world } from './support/world.ts';

withEngine((on) => {
  let engine: FaultyEngine;
  let w: World;
  let id: string;
  let bystander: string;
  beforeEach(async () => {
    engine = await FaultyEngine.before(on.url);
    w = await world(engine.docker, { removal: false });
    bystander = await run(on.docker, on.image);
  });
  afterEach(async () => {
    expect(pidsOf(bystander).length).toBeGreaterThanOrEqual(2);
    engine.close();
    await w.close().catch(() => {});
  });

  const context = (ms = 1_000) => ({ agentId: 'a', signal: AbortSignal.timeout(ms) });
  const lies: readonly [string, () => Answer][] = [
    ['exited', () => stateAnswer(id, exited)],
    ['created', () => stateAnswer(id, { ...exited, Status: 'created' })],
    ['gone', () => noSuch(id)],
    ['a page', () => ({ status: 404, body: '<html>404</html>' })],
    ['another container', () => stateAnswer(bystander, exited)],
    ["another's pid", () => stateAnswer(id, { ...running, Pid: pidsOf(bystander)[0] })],
    ['500', () => ({ status: 500 })],
    ['no answer', () => 'silence'],
  ];

  function lie(answer: Answer): void {
    engine.fault = (method, path) => {
      if (method !== 'GET') return { status: 204 };
      return path.includes(id) ? answer : 'pass';
    };
  }

  async function expectDead(): Promise<void> {
    const outcome = outcomeOf(await w.killAll(), 'a');
    expect(pidsOf(id)).toEqual([]);
    expect(outcome).toMatchObject({ outcome: 'confirmed', forced: false });
    expect(outcome.evidence).toMatch(/^cgroup .*[0-9a-f]{64} is (empty|gone), pid \d+ has ended$/);
  }

  describe.each(lies)('says: %s', (_, answer) => {
    it('a container that was created when its handle was made, and runs since: seen, killed, seen dead (I3)', async () => {
      id = await create(on.docker, on.image);
      await w.enrol('a', id);
      await on.docker.getContainer(id).start();
      await expect.poll(() => pidsOf(id).length).toBeGreaterThanOrEqual(2);
      lie(answer());
      const handle = (await w.ks.agent('a')).handles[0] as unknown as DockerHandle;
      expect(handle.local).toBeNull();
      expect(await w.runtime.inspect(handle, context())).toMatchObject({ state: 'alive' });
      await expectDead();
    });

    it('a handle that says it was elsewhere when it was made: the same (I3)', async () => {
      id = await run(on.docker, on.image);
      const remote = await world(engine.docker, { cgroup: 'off' });
      await w.admit('a');
      await w.ks.running('a', [await remote.runtime.adopt(id, { agentId: 'a' })]);
      await remote.close();
      lie(answer());
      await expectDead();
    });
  });

  it.each(lies.slice(0, 1).concat(lies.slice(2, 3)))(
    'lists it and then says: %s: found by its label all the same (I3)',
    async (_, answer) => {
      id = await run(on.docker, on.image, { Labels: agentLabels('a') });
      lie(answer());
      expect(await w.runtime.locate('a', context())).toMatchObject([
        { containerId: id, local: { cgroup: expect.stringContaining(id) } },
      ]);
    },
  );

  it('a look right before the start of a container does not count for the look after it (I3)', async () => {
    id = await create(on.docker, on.image);
    const handle = await w.runtime.adopt(id, { agentId: 'a' });
    lie(stateAnswer(id, exited));
    expect(await w.runtime.inspect(handle, context())).toMatchObject({ state: 'dead' });
    await on.docker.getContainer(id).start();
    expect(await w.runtime.inspect(handle, context())).toMatchObject({ state: 'alive' });
    await w.runtime.kill(handle, context());
    expect(pidsOf(id)).toEqual([]);
  });

  it('tells the truth: dead by its word, and because nothing is seen of it here', async () => {
    id = await create(on.docker, on.image);
    await w.enrol('a', id);
    await on.docker.getContainer(id).remove({ force: true });
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({
      outcome: 'confirmed',
      evidence: `its engine has no container ${id.slice(0, 12)}, and nothing of it is seen here`,
    });
  });
});
