/**
 * Engines that hang or are gone: private ones, stopped with SIGSTOP and killed with SIGKILL.
 * @services docker
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { dockerRuntime } from '../src/index.ts';
import { create, exists, pidsOf, run } from './support/containers.ts';
import { PrivateEngine } from './support/engines.ts';
import { evidenceOf, expectUnconfirmed, outcomeOf, type World, world } from './support/world.ts';

const forceAfter = 1_000;
const deadlines = { forceAfter, confirmWithin: 3_000 };
const count = 50;

/** The service itself is not used, but says whether there can be an engine here. */
withService('docker', 'DOCKER_HOST', () => {
  let engine: PrivateEngine;
  let w: World;
  beforeEach(async () => {
    engine = await PrivateEngine.start();
  });
  afterEach(async () => {
    await engine.stop();
    await w.close().catch(() => {});
  });

  async function fifty(): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) ids.push(await run(engine.docker, engine.image));
    await Promise.all(ids.map((id, n) => w.enrol(`a${n}`, id)));
    return ids;
  }

  /** When the last process was gone, from the call on, seen from outside; gives up after `ms`. */
  async function lastDeath(ids: readonly string[], since: number, ms: number): Promise<number> {
    while (pidsOf(...ids).length > 0 && performance.now() - since < ms) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(pidsOf(...ids)).toEqual([]);
    return performance.now() - since;
  }

  async function expectAllDead(ids: readonly string[]): Promise<void> {
    const since = performance.now();
    const stop = w.killAll();
    expect(await lastDeath(ids, since, 5_000)).toBeLessThan(forceAfter + 500);
    const report = await stop;
    expect(report).toMatchObject({ total: count, killed: count, failed: 0 });
    for (const { outcome, evidence, confirmedAt } of report.outcomes) {
      expect({ outcome, evidence }).toEqual({
        outcome: 'confirmed',
        evidence: expect.stringMatching(/^cgroup .*[0-9a-f]{64} is (empty|gone), pid \d+ has ended$/),
      });
      expect(confirmedAt! - report.requestedAt).toBeLessThan(forceAfter + 500);
    }
  }

  async function expectRemovals(ids: readonly string[]): Promise<void> {
    const ledgers = async () =>
      Promise.all(
        ids.map(async (_, n) => (await w.ks.agent(`a${n}`)).ledger.map(({ status }) => status).join()),
      );
    await expect.poll(ledgers, { timeout: 25_000, interval: 200 }).toEqual(ids.map(() => 'done'));
    for (const id of ids) expect(await exists(engine.docker, id)).toBe(false);
  }

  it('hung: all 50 dead by the force time + 500 ms, confirmed by their cgroups; removed by themselves when it goes on (I3, I6)', async () => {
    w = await world(engine.docker, { deadlines });
    const ids = await fifty();
    engine.signal('SIGSTOP');
    await expectAllDead(ids);
    engine.signal('SIGCONT');
    await expectRemovals(ids);
    await expect.poll(async () => (await w.ks.status()).openOrders, { timeout: 5_000 }).toEqual([]);
  }, 120_000);

  it('killed with SIGKILL: the same, and removed when it is started again (I3, I6)', async () => {
    w = await world(engine.docker, { deadlines });
    const ids = await fifty();
    engine.signal('SIGKILL');
    await expectAllDead(ids);
    await engine.restart();
    await expectRemovals(ids);
  }, 120_000);

  describe('hung', () => {
    const context = (ms = 1_000) => ({ agentId: 'a', signal: AbortSignal.timeout(ms) });

    it('with --restart always: dead, but said to be unconfirmed, since it may come back; confirmed when the engine goes on', async () => {
      w = await world(engine.docker, { deadlines: { forceAfter: 300, confirmWithin: 900 } });
      const id = await run(engine.docker, engine.image, {
        HostConfig: { RestartPolicy: { Name: 'always' } },
      });
      await w.enrol('a', id);
      engine.signal('SIGSTOP');
      await expectUnconfirmed(w, await w.killAll(), 'a');
      expect(pidsOf(id)).toEqual([]);
      await expect.poll(() => evidenceOf(w, 'a')).toContain('restart policy');
      engine.signal('SIGCONT');
      await expect.poll(async () => (await w.ks.agent('a')).status, { timeout: 15_000 }).toBe('killed');
      expect(pidsOf(id)).toEqual([]);
      await expect.poll(async () => exists(engine.docker, id), { timeout: 10_000 }).toBe(false);
    });

    it('another host that has only the handle kills it and sees it dead', async () => {
      w = await world(engine.docker);
      const id = await run(engine.docker, engine.image);
      const handle = JSON.parse(JSON.stringify(await w.runtime.adopt(id, { agentId: 'a' })));
      engine.signal('SIGSTOP');
      const other = dockerRuntime(engine.docker);
      await other.kill(handle, context());
      await expect.poll(() => other.inspect(handle, context())).toMatchObject({ state: 'dead' });
      expect(pidsOf(id)).toEqual([]);
    });

    it('a handle from before the start: the container is found by its processes', async () => {
      w = await world(engine.docker, { deadlines });
      const id = await create(engine.docker, engine.image);
      await w.enrol('a', id);
      await engine.docker.getContainer(id).start();
      engine.signal('SIGSTOP');
      expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
      expect(pidsOf(id)).toEqual([]);
    });

    it('a handle from before the start of a container that never ran is unknown, never dead (I3)', async () => {
      w = await world(engine.docker);
      const id = await create(engine.docker, engine.image);
      const handle = await w.runtime.adopt(id, { agentId: 'a' });
      engine.signal('SIGSTOP');
      expect(await w.runtime.inspect(handle, context(400))).toMatchObject({ state: 'unknown' });
    });

    it('paused before: thawed by its death', async () => {
      w = await world(engine.docker, { deadlines });
      const id = await run(engine.docker, engine.image);
      await w.enrol('a', id);
      await engine.docker.getContainer(id).pause();
      engine.signal('SIGSTOP');
      expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
      expect(pidsOf(id)).toEqual([]);
    });

    it.each(['freezer', 'cgroup'] as const)(
      'with its %s alone, as on a machine that has no other: killed and seen dead',
      async (kept) => {
        w = await world(engine.docker);
        const forks = [
          'sh',
          '-c',
          'f() { f & f; }; trap "" TERM; while :; do (sleep 0.01 &) ; sh -c "sleep 5" & sleep 0.02; done',
        ];
        const id = await run(engine.docker, engine.image, { Cmd: forks, HostConfig: { PidsLimit: 200 } });
        const handle = await w.runtime.adopt(id, { agentId: 'a' });
        if (handle.local === null) throw new Error('not seen to be here');
        if (handle.local[kept] === null) {
          console.warn(`SKIPPED: this machine has no ${kept} for containers`);
          return;
        }
        const only = {
          ...handle,
          local: { ...handle.local, cgroup: null, freezer: null, [kept]: handle.local[kept] },
        };
        engine.signal('SIGSTOP');
        expect(await w.runtime.inspect(only, context())).toMatchObject({ state: 'alive' });
        await w.runtime.kill(only, context());
        expect(await w.runtime.inspect(only, context())).toMatchObject({ state: 'dead' });
        expect(pidsOf(id)).toEqual([]);
      },
    );
  });
});
