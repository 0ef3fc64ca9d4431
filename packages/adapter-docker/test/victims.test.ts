/**
 * What containers can be when the kill comes, each on a real engine on this machine.
 * @services docker
 */
import { afterEach, expect, it } from 'vitest';
import { create, exists, pidsOf, run } from './support/containers.ts';
import { withEngine } from './support/with-engine.ts';
import { outcomeOf, root, type World, world } from './support/world.ts';

withEngine((on) => {
  let w: World;
  afterEach(async () => {
    await w.close();
  });

  it('a container that ignores SIGTERM and has a child dies by its cgroup, and is removed (I3)', async () => {
    w = await world(on.docker);
    const id = await run(on.docker, on.image);
    await w.enrol('a', id);
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
    const report = await w.killAll();
    expect(outcomeOf(report, 'a')).toMatchObject({
      outcome: 'confirmed',
      forced: false,
      evidence: expect.stringMatching(/^cgroup .*[0-9a-f]{64} is (empty|gone), pid \d+ has ended$/),
    });
    expect(report).toMatchObject({ settled: true, killed: 1, failed: 0 });
    expect(pidsOf(id)).toEqual([]);
    expect(await exists(on.docker, id)).toBe(false);
  });

  it('--restart always: stays down, and is called dead only when its engine agrees', async () => {
    w = await world(on.docker, { removal: false });
    const id = await run(on.docker, on.image, { HostConfig: { RestartPolicy: { Name: 'always' } } });
    await w.enrol('a', id);
    const report = await w.killAll();
    expect(outcomeOf(report, 'a')).toMatchObject({
      outcome: 'confirmed',
      evidence: expect.stringContaining('its engine says'),
    });
    // An engine restarts after 100 ms, then 200 ms, …
    const until = performance.now() + 2_000;
    while (performance.now() < until) {
      expect(pidsOf(id)).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { HostConfig, State } = await on.docker.getContainer(id).inspect();
    expect(State).toMatchObject({ Running: false, Restarting: false });
    expect(HostConfig.RestartPolicy).toMatchObject({ Name: 'no' });
  });

  it('--restart always that dies all the time: caught while it waits for its next start', async () => {
    // Forced, it would be removed.
    w = await world(on.docker, { removal: false, deadlines: { forceAfter: 20_000, confirmWithin: 30_000 } });
    const id = await run(on.docker, on.image, {
      Cmd: ['false'],
      HostConfig: { RestartPolicy: { Name: 'always' } },
    });
    await expect
      .poll(async () => (await on.docker.getContainer(id).inspect()).State.Status, {
        timeout: 10_000,
        interval: 5,
      })
      .toBe('restarting');
    await w.enrol('a', id);
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    const { RestartCount } = await on.docker.getContainer(id).inspect();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await on.docker.getContainer(id).inspect()).toMatchObject({
      RestartCount,
      State: { Running: false },
    });
  });

  it('created but not started: removed, so that nobody can start it', async () => {
    w = await world(on.docker);
    const id = await create(on.docker, on.image);
    await w.enrol('a', id);
    const report = await w.killAll();
    expect(outcomeOf(report, 'a')).toMatchObject({
      outcome: 'confirmed',
      forced: false,
      evidence: expect.stringContaining('its engine has no container'),
    });
    await expect(on.docker.getContainer(id).start()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('created when its handle was made, and started since: dies by its cgroup all the same', async () => {
    w = await world(on.docker);
    const id = await create(on.docker, on.image);
    await w.enrol('a', id);
    await on.docker.getContainer(id).start();
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    expect(pidsOf(id)).toEqual([]);
  });

  it('paused: thawed by its death', async () => {
    w = await world(on.docker);
    const id = await run(on.docker, on.image);
    await w.enrol('a', id);
    await on.docker.getContainer(id).pause();
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed', forced: false });
    expect(pidsOf(id)).toEqual([]);
    expect(await exists(on.docker, id)).toBe(false);
  });

  it('already removed: confirmed, and its cleanup is done', async () => {
    w = await world(on.docker);
    const id = await run(on.docker, on.image);
    await w.enrol('a', id);
    await on.docker.getContainer(id).remove({ force: true });
    const report = await w.killAll();
    expect(outcomeOf(report, 'a')).toMatchObject({ outcome: 'confirmed', forced: false });
    expect((await w.ks.agent('a')).ledger).toMatchObject([{ status: 'done' }]);
  });

  it('removed by someone else mid-kill: confirmed all the same', async () => {
    w = await world(on.docker);
    const ids = await Promise.all(Array.from({ length: 5 }, () => run(on.docker, on.image)));
    await Promise.all(ids.map((id, at) => w.enrol(`a${at}`, id)));
    const removals = Promise.allSettled(ids.map((id) => on.docker.getContainer(id).remove({ force: true })));
    const report = await w.killAll();
    expect(report).toMatchObject({ killed: 5, failed: 0, settled: true });
    await removals;
    for (const id of ids) expect(await exists(on.docker, id)).toBe(false);
    for (const agent of report.outcomes)
      expect((await w.ks.agent(agent.agentId)).ledger).toMatchObject([{ status: 'done' }]);
  });

  it('a name that another container has by now: the other one survives', async () => {
    w = await world(on.docker);
    const id = await run(on.docker, on.image, { name: 'reused' });
    await w.enrol('a', id);
    await on.docker.getContainer(id).remove({ force: true });
    const other = await run(on.docker, on.image, { name: 'reused' });
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    expect(pidsOf(other).length).toBeGreaterThanOrEqual(2);
  });

  it("a container whose name is the removed one's id survives kill, force and cleanup", async () => {
    for (const cgroup of ['auto', 'off'] as const) {
      w = await world(on.docker, { cgroup });
      const id = await run(on.docker, on.image);
      await w.enrol('a', id);
      await on.docker.getContainer(id).remove({ force: true });
      const other = await run(on.docker, on.image, { name: id });
      const handle = (await w.ks.agent('a')).handles[0]!;
      const context = { agentId: 'a', signal: AbortSignal.timeout(5_000) };
      await w.runtime.kill(handle, context);
      await w.runtime.force(handle, context);
      expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
      expect(pidsOf(other).length).toBeGreaterThanOrEqual(2);
      await on.docker.getContainer(other).remove({ force: true });
      await w.close();
    }
  });

  it('what an exec has started in it dies with it', async () => {
    w = await world(on.docker);
    const id = await run(on.docker, on.image);
    await w.enrol('a', id);
    const exec = await on.docker
      .getContainer(id)
      .exec({ Cmd: ['sh', '-c', "trap '' TERM; while :; do sleep 7; done"] });
    await exec.start({ Detach: true });
    await expect.poll(() => pidsOf(id).length).toBeGreaterThanOrEqual(4);
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    expect(pidsOf(id)).toEqual([]);
  });

  it('stop asks with the signal of the container; who hears it is never killed', async () => {
    w = await world(on.docker, { removal: false });
    const polite = ['sh', '-c', `trap 'exit 7' USR1; while :; do sleep 1 & wait $!; done`];
    const id = await run(on.docker, on.image, { Cmd: polite, StopSignal: 'SIGUSR1' });
    // Its child is started when it listens.
    await expect.poll(() => pidsOf(id).length).toBeGreaterThanOrEqual(2);
    await w.enrol('a', id);
    const report = await w.ks.stop({ agent: 'a' }, { principal: root, reason: 'test', graceMs: 5_000 });
    expect(outcomeOf(report, 'a')).toMatchObject({ outcome: 'confirmed' });
    await expect.poll(async () => (await on.docker.getContainer(id).inspect()).State.ExitCode).toBe(7);
  });
});
