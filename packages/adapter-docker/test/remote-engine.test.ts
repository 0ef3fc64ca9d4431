/**
 * An engine that is reached over TCP and whose containers' cgroups are not used: the ladder through the engine alone.
 * @services docker
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../../scripts/services/ready.ts';
import { withService } from '../../../test/support/with-service.ts';
import { create, exists, pidsOf, run } from './support/containers.ts';
import { clientOf, PrivateEngine } from './support/engines.ts';
import { evidenceOf, expectUnconfirmed, outcomeOf, type World, world } from './support/world.ts';

const deadlines = { forceAfter: 600, confirmWithin: 1_500 };

withService('docker', 'DOCKER_HOST', (url) => {
  let engine: PrivateEngine;
  let w: World;
  beforeAll(async () => {
    engine = await PrivateEngine.start({ name: 'remote', port: await freePort() });
  });
  afterAll(() => engine.stop());
  afterEach(() => w.close().catch(() => {}));

  it('is killed and removed through the engine, which is the evidence', async () => {
    expect(engine.url).toMatch(/^tcp:/);
    w = await world(engine.docker, { cgroup: 'off' });
    const ids = await Promise.all(Array.from({ length: 5 }, () => run(engine.docker, engine.image)));
    await Promise.all(ids.map((id, n) => w.enrol(`a${n}`, id)));
    expect((await w.ks.agent('a0')).handles).toMatchObject([{ local: null }]);
    const report = await w.killAll();
    expect(report).toMatchObject({ killed: 5, settled: true });
    for (const { evidence } of report.outcomes) expect(evidence).toMatch(/^its engine (says|has no)/);
    for (const id of ids) {
      expect(pidsOf(id)).toEqual([]);
      expect(await exists(engine.docker, id)).toBe(false);
    }
  });

  it('paused, restarting, created: each ends up removed', async () => {
    w = await world(engine.docker, { cgroup: 'off' });
    const restarting = { HostConfig: { RestartPolicy: { Name: 'always' } } };
    const ids = {
      paused: await run(engine.docker, engine.image),
      always: await run(engine.docker, engine.image, restarting),
      failing: await run(engine.docker, engine.image, { ...restarting, Cmd: ['false'] }),
      created: await create(engine.docker, engine.image),
    };
    await engine.docker.getContainer(ids.paused).pause();
    for (const [agentId, id] of Object.entries(ids)) await w.enrol(agentId, id);
    const report = await w.killAll();
    expect(report).toMatchObject({ killed: 4, settled: true, errors: [] });
    for (const id of Object.values(ids)) expect(await exists(engine.docker, id)).toBe(false);
  });

  it('hung: unconfirmed at the deadline, and confirmed when it goes on (I3)', async () => {
    w = await world(engine.docker, { cgroup: 'off', deadlines });
    const id = await run(engine.docker, engine.image);
    await w.enrol('a', id);
    engine.signal('SIGSTOP');
    try {
      const since = performance.now();
      const report = await w.killAll();
      expect(performance.now() - since).toBeLessThan(deadlines.confirmWithin + 500);
      expect(report).toMatchObject({ killed: 0, failed: 1, settled: false });
      expect(outcomeOf(report, 'a')).toMatchObject({ forced: true });
      await expectUnconfirmed(w, report, 'a');
      expect(report.errors.join()).toMatch(/did not inspect container|did not answer/);
      expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
    } finally {
      engine.signal('SIGCONT');
    }
    await expect.poll(async () => (await w.ks.agent('a')).status, { timeout: 15_000 }).toBe('killed');
    expect(pidsOf(id)).toEqual([]);
    await expect.poll(() => exists(engine.docker, id), { timeout: 10_000 }).toBe(false);
  });

  it('an engine on this machine is known by the cgroups of its containers, however it is reached', async () => {
    w = await world(engine.docker, { deadlines });
    const id = await run(engine.docker, engine.image);
    await w.enrol('a', id);
    expect((await w.ks.agent('a')).handles).toMatchObject([
      { local: { cgroup: expect.stringContaining(id) } },
    ]);
    engine.signal('SIGSTOP');
    try {
      expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    } finally {
      engine.signal('SIGCONT');
    }
  });

  it('a handle of another engine: nothing is touched, and nobody is called dead', async () => {
    w = await world(engine.docker, { cgroup: 'off', deadlines });
    const here = clientOf(url);
    const id = await run(here, process.env.DOCKER_TEST_IMAGE ?? '');
    const { runtime } = await world(here, { cgroup: 'off' });
    await w.admit('a');
    await w.ks.running('a', [await runtime.adopt(id, { agentId: 'a' })]);
    await expectUnconfirmed(w, await w.killAll(), 'a');
    await expect.poll(() => evidenceOf(w, 'a')).toContain('another engine');
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
    await here.getContainer(id).remove({ force: true });
  });
});
