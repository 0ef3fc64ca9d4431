/**
 * Containers that something else starts again after their kill: none of them may run on.
 * @services docker
 */
import { afterEach, expect, it } from 'vitest';
import { pidsOf, run } from './support/containers.ts';
import { FaultyEngine } from './support/faulty-engine.ts';
import { withEngine } from './support/with-engine.ts';
import { outcomeOf, type World, world } from './support/world.ts';

withEngine((on) => {
  let w: World;
  let engine: FaultyEngine | undefined;
  afterEach(async () => {
    await w.close();
    engine?.close();
    engine = undefined;
  });

  /** A restart that waits for the end of the container, which comes by the kill. */
  async function restartUnderWay(id: string): Promise<{ readonly restarted: Promise<unknown> }> {
    const since = Math.floor(Date.now() / 1_000);
    const events = await on.docker.getEvents({ since, filters: { container: [id], event: ['kill'] } });
    const asked = new Promise((resolve) => events.once('data', resolve));
    const restarted = on.docker.getContainer(id).restart({ t: 30 });
    restarted.catch(() => {});
    await asked;
    (events as unknown as { destroy(): void }).destroy();
    return { restarted };
  }

  const stateOf = async (id: string) => (await on.docker.getContainer(id).inspect()).State;

  /** Somebody starts it again, once the engine has noticed its death. */
  async function startAgain(id: string): Promise<void> {
    await expect.poll(async () => (await stateOf(id)).Running).toBe(false);
    await on.docker.getContainer(id).start();
  }

  async function expectDownForGood(id: string, startedAt: string): Promise<void> {
    // It has come up, and is down again.
    await expect.poll(async () => (await stateOf(id)).StartedAt, { timeout: 10_000 }).not.toBe(startedAt);
    await expect.poll(() => pidsOf(id), { timeout: 5_000 }).toEqual([]);
    await expect.poll(async () => (await stateOf(id)).Running).toBe(false);
  }

  it.each(['auto', 'off'] as const)(
    'a restart under way at the kill (cgroup: %s): what it starts is killed too (I3)',
    async (cgroup) => {
      w = await world(on.docker, { removal: false, cgroup });
      const id = await run(on.docker, on.image);
      await w.enrol('a', id);
      const { StartedAt } = await stateOf(id);
      const { restarted } = await restartUnderWay(id);
      expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
      await restarted.catch(() => {});
      await expectDownForGood(id, StartedAt);
    },
  );

  it('its engine hangs from the kill on: killed here, without any answer of it (I3)', async () => {
    engine = await FaultyEngine.before(on.url);
    w = await world(engine.docker, { removal: false });
    const id = await run(on.docker, on.image);
    await w.enrol('a', id);
    engine.fault = () => 'silence';
    const { StartedAt } = await stateOf(id);
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    await startAgain(id);
    await expectDownForGood(id, StartedAt);
  });

  it('adopted for another agent since: left alone', async () => {
    w = await world(on.docker, { removal: false });
    const id = await run(on.docker, on.image);
    await w.enrol('a', id);
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    await w.runtime.adopt(id, { agentId: 'b' });
    await startAgain(id);
    await expect.poll(() => pidsOf(id).length).toBeGreaterThanOrEqual(2);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
  });
});
