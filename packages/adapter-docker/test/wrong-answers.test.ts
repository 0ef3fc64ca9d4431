/**
 * Answers that only look like word of a death: of something that is no engine, of another engine, about another container, or
 * against itself. The containers are real and live on; their cgroups are not looked at, as if they were elsewhere.
 * @services docker
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { containerRemoval } from '../src/index.ts';
import { elsewhere, exited, noSuch, running, stateAnswer } from './support/answers.ts';
import { pidsOf, run } from './support/containers.ts';
import { type Answer, FaultyEngine } from './support/faulty-engine.ts';
import { withEngine } from './support/with-engine.ts';
import { evidenceOf, expectUnconfirmed, type World, world } from './support/world.ts';

withEngine((on) => {
  let engine: FaultyEngine;
  let w: World;
  let id: string;
  let bystander: string;
  beforeEach(async () => {
    engine = await FaultyEngine.before(on.url);
    w = await world(engine.docker, { cgroup: 'off', deadlines: { forceAfter: 150, confirmWithin: 300 } });
    [id, bystander] = await Promise.all([run(on.docker, on.image), run(on.docker, on.image)]);
  });
  afterEach(async () => {
    expect(pidsOf(bystander).length).toBeGreaterThanOrEqual(2);
    engine.close();
    await w.close().catch(() => {});
  });

  const context = (ms = 1_000) => ({ agentId: 'a', signal: AbortSignal.timeout(ms) });
  /** Nothing that is demanded has an effect. */
  const onlyOf = (containerId: string, answer: Answer) => (method: string, path: string) => {
    if (method !== 'GET') return { status: 204 };
    return path.includes(containerId) ? answer : 'pass';
  };

  it.each<[string, () => string]>([
    ['a web server', () => '<html><head><title>404 Not Found</title></head></html>'],
    ['nothing at all', () => ''],
    ['an engine that knows no such path', () => '{"message":"page not found"}'],
    ['an engine, about another container', () => `{"message":"No such container: ${bystander}"}`],
    ['an engine, about a longer id', () => `{"message":"No such container: ${id}0"}`],
    ['an engine, about an image', () => `{"message":"No such image: ${id}"}`],
    ['a message that is no text', () => `{"message":["No such container: ${id}"]}`],
    ['the words without their shape', () => `No such container: ${id}`],
    ['the words under another name', () => `{"error":"No such container: ${id}"}`],
  ])('404 from %s is no death, and no removal (I3)', async (_, body) => {
    await w.enrol('a', id);
    const answer = { status: 404, body: body() };
    engine.fault = (method, path) => (method !== 'GET' || path.includes(id) ? answer : 'pass');
    await expectUnconfirmed(w, await w.killAll(), 'a');
    await expect.poll(() => evidenceOf(w, 'a')).toContain('EngineRefusedError');
    const agent = { agentId: 'a', handles: [{ runtime: 'docker', containerId: id }], resources: [] };
    const step = containerRemoval(engine.docker, { patienceMs: 0 });
    for (const status of ['killed', 'completed']) {
      const removal = step.run({ ...agent, status } as never, { signal: AbortSignal.timeout(2_000) });
      await expect(removal).rejects.toMatchObject({ code: 'engine-refused' });
    }
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
  });

  it('404 from something else, for a demand alone: no removal', async () => {
    engine.fault = (method) => (method === 'GET' ? 'pass' : { status: 404, body: '<html>' });
    const handle = await w.runtime.adopt(id, { agentId: 'a' });
    await expect(w.runtime.kill(handle, context())).rejects.toMatchObject({ code: 'engine-refused' });
    await expect(w.runtime.force(handle, context())).rejects.toMatchObject({ code: 'engine-refused' });
    await expect(w.runtime.stop(handle, context())).rejects.toMatchObject({ code: 'engine-refused' });
  });

  it.each<[string, () => string]>([
    ['Docker', () => `{"message":"No such container: ${id}"}`],
    [
      'Podman',
      () =>
        `{"cause":"no such container","message":"no container with name or ID \\"${id}\\" found: no such container","response":404}`,
    ],
  ])('404 as %s says it, from the engine of the handle: dead, by its word', async (_, body) => {
    const handle = await w.runtime.adopt(id, { agentId: 'a' });
    engine.fault = onlyOf(id, { status: 404, body: body() });
    expect(await w.runtime.inspect(handle, context())).toEqual({
      state: 'dead',
      evidence: `its engine has no container ${id.slice(0, 12)}, by its word alone`,
    });
  });

  it.each([
    ['404', () => noSuch(id)],
    ['exited', () => stateAnswer(id, exited)],
  ])('%s from another engine at the same address is no death (I3)', async (_, answer) => {
    await w.enrol('a', id);
    const lie = answer();
    engine.fault = (method, path) => (path.startsWith('/info') ? elsewhere : onlyOf(id, lie)(method, path));
    await expectUnconfirmed(w, await w.killAll(), 'a');
    await expect.poll(() => evidenceOf(w, 'a')).toContain('another engine');
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
  });

  it.each<[string, object, RegExp]>([
    ['exited, with a pid', { ...exited, Pid: 4_194_000 }, /is exited, not running, with pid 4194000$/],
    ['exited and running', { ...exited, Running: true }, /is exited, running, with pid 0$/],
    ['exited and paused', { ...exited, Paused: true }, /is exited, not running, paused, with pid 0$/],
    ['dead, with a pid', { ...exited, Status: 'dead', Pid: 71 }, /is dead, not running, with pid 71$/],
    ['removing and running', { ...running, Status: 'removing' }, /is removing, running, with pid 0$/],
    [
      'created, with a pid',
      { ...exited, Status: 'created', Pid: 71 },
      /is created, not running, with pid 71$/,
    ],
    ['running and not', { ...running, Running: false }, /is running, not running, with pid 0$/],
  ])('contradicts itself (%s): unknown, and the evidence says how (I3)', async (_, state, said) => {
    await w.enrol('a', id);
    engine.fault = onlyOf(id, stateAnswer(id, state));
    await expectUnconfirmed(w, await w.killAll(), 'a');
    const handle = (await w.ks.agent('a')).handles[0];
    if (handle === undefined) throw new Error('no handle');
    expect(await w.runtime.inspect(handle, context())).toEqual({
      state: 'unknown',
      evidence: expect.stringMatching(said),
    });
    // It may be true that it lives.
    expect(engine.requests.some((line) => line.includes(`/${id}/kill`))).toBe(true);
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
  });

  it.each([running, exited])(
    'tells of another container than it was asked for (%j): that one is left alone, and nobody is called dead (I3)',
    async (state) => {
      const handle = await w.runtime.adopt(id, { agentId: 'a' });
      const answer = stateAnswer(bystander, state);
      engine.fault = (_, path) => (path.includes(id) && path.includes('/json') ? answer : 'pass');
      engine.requests.length = 0;
      await expect(w.runtime.kill(handle, context())).rejects.toMatchObject({ code: 'engine-answer' });
      await expect(w.runtime.force(handle, context())).rejects.toMatchObject({ code: 'engine-answer' });
      expect(engine.requests.filter((line) => !line.startsWith('GET'))).toEqual([]);
      expect(await w.runtime.inspect(handle, context())).toEqual({
        state: 'unknown',
        evidence: expect.stringContaining(`is about container ${bystander.slice(0, 12)}`),
      });
    },
  );
});
