/**
 * Engines, and proxies before them, that answer wrongly: every class of status has its name on the record, and nobody is hit or
 * called dead by mistake. A faulty server stands before a real engine.
 * @services docker
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DockerHandle } from '../src/index.ts';
import { dockerRuntime } from '../src/index.ts';
import { exists, pidsOf, run } from './support/containers.ts';
import { type Answer, FaultyEngine } from './support/faulty-engine.ts';
import { withEngine } from './support/with-engine.ts';
import { evidenceOf, expectUnconfirmed, type World, world } from './support/world.ts';

const named: readonly [answer: Answer, code: string][] = [
  [{ status: 301 }, 'engine-answer'],
  [{ status: 304 }, 'engine-answer'],
  [{ status: 400 }, 'engine-refused'],
  [{ status: 401 }, 'engine-denied'],
  [{ status: 403 }, 'engine-denied'],
  [{ status: 407 }, 'engine-denied'],
  [{ status: 404 }, 'engine-refused'],
  [{ status: 409 }, 'engine-refused'],
  [{ status: 410 }, 'engine-refused'],
  [{ status: 418 }, 'engine-refused'],
  [{ status: 429 }, 'engine-refused'],
  [{ status: 500 }, 'engine-failed'],
  [{ status: 502, body: '<html>bad gateway</html>' }, 'engine-failed'],
  [{ status: 503, body: '' }, 'engine-failed'],
  [{ status: 200, body: 'hello' }, 'engine-answer'],
  [{ status: 200, body: '{}' }, 'engine-answer'],
  [{ status: 200, body: '[]' }, 'engine-answer'],
  [{ status: 200, body: 'null' }, 'engine-answer'],
  ['drop', 'engine-unreachable'],
];

withEngine((on) => {
  let engine: FaultyEngine;
  let w: World;
  let id: string;
  let bystander: string;
  beforeEach(async () => {
    engine = await FaultyEngine.before(on.url);
    w = await world(engine.docker, { cgroup: 'off', deadlines: { forceAfter: 200, confirmWithin: 500 } });
    [id, bystander] = await Promise.all([run(on.docker, on.image), run(on.docker, on.image)]);
  });
  afterEach(async () => {
    expect(pidsOf(bystander).length).toBeGreaterThanOrEqual(2);
    engine.close();
    await w.close().catch(() => {});
    await Promise.all(
      [id, bystander].map((each) =>
        on.docker
          .getContainer(each)
          .remove({ force: true })
          .catch(() => {}),
      ),
    );
  });

  const context = (ms = 1_000) => ({ agentId: 'a', signal: AbortSignal.timeout(ms) });

  it.each(named)('answers %j: kill and force reject with %s, inspect knows nothing', async (answer, code) => {
    const handle = await w.runtime.adopt(id, { agentId: 'a' });
    engine.fault = () => answer;
    await expect(w.runtime.kill(handle, context())).rejects.toMatchObject({ code });
    await expect(w.runtime.force(handle, context())).rejects.toMatchObject({ code });
    expect(await w.runtime.inspect(handle, context())).toMatchObject({ state: 'unknown' });
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
  });

  it.each(['cut', 'silence'] as const)(
    '%s: everything settles in time, and nobody is called dead',
    async (answer) => {
      const handle = await w.runtime.adopt(id, { agentId: 'a' });
      engine.fault = () => answer;
      await expect(w.runtime.kill(handle, context(300))).rejects.toThrow();
      expect(await w.runtime.inspect(handle, context(500))).toMatchObject({
        state: 'unknown',
        evidence: expect.stringMatching(/EngineSilentError|EngineUnreachableError/),
      });
    },
  );

  it('errors stand on the record by name, and the kill goes on when the engine has come to itself', async () => {
    await w.enrol('a', id);
    engine.fault = (method) =>
      method === 'GET' ? 'pass' : { status: 500, body: '{"message":"out of order"}' };
    await expectUnconfirmed(w, await w.killAll(), 'a');
    await expect.poll(() => evidenceOf(w, 'a')).toContain('is running');
    const onRecord = () => w.events().find(({ type }) => type === 'agent.unconfirmed');
    await expect.poll(onRecord).toMatchObject({
      errors: expect.arrayContaining([expect.stringMatching(/^EngineFailedError: .*out of order/)]),
    });
    engine.fault = () => 'pass';
    await expect.poll(async () => (await w.ks.agent('a')).status, { timeout: 10_000 }).toBe('killed');
    await expect.poll(() => exists(on.docker, id), { timeout: 10_000 }).toBe(false);
  });

  it('says 204 and does nothing: never called dead by that (I3); on this machine dead all the same', async () => {
    engine.fault = (method) => (method === 'GET' ? 'pass' : { status: 204 });
    await w.enrol('a', id);
    await expectUnconfirmed(w, await w.killAll(), 'a');
    await expect.poll(() => evidenceOf(w, 'a')).toContain('is running');
    expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
    const here = dockerRuntime(engine.docker);
    const handle = await here.adopt(id, { agentId: 'a' });
    await here.kill(handle, context());
    expect(await here.inspect(handle, context())).toMatchObject({ state: 'dead' });
    expect(pidsOf(id)).toEqual([]);
  });

  describe('bad handles', () => {
    it('no request is made for a handle that is no full id, or of another agent', async () => {
      const handle = await w.runtime.adopt(id, { agentId: 'a' });
      engine.requests.length = 0;
      const bad: readonly DockerHandle[] = [
        ...[
          '',
          'web',
          id.slice(0, 12),
          `${id}/json`,
          `../${id}`,
          `${id.slice(0, 63)}\0`,
          id.toUpperCase(),
        ].map((containerId) => ({ ...handle, containerId })),
        { ...handle, agentId: 'b' },
      ];
      for (const each of bad) {
        await expect(w.runtime.kill(each, context())).rejects.toMatchObject({ code: 'invalid-handle' });
        await expect(w.runtime.force(each, context())).rejects.toMatchObject({ code: 'invalid-handle' });
        await expect(w.runtime.stop(each, context())).rejects.toMatchObject({ code: 'invalid-handle' });
        expect(await w.runtime.inspect(each, context())).toMatchObject({ state: 'unknown' });
      }
      for (const containerId of ['', 'web', id.slice(0, 12)])
        await expect(w.runtime.adopt(containerId, { agentId: 'a' })).rejects.toMatchObject({
          code: 'invalid-handle',
        });
      expect(engine.requests).toEqual([]);
    });

    it.each([
      ['boot', { bootId: '00000000-0000-4000-8000-000000000000' }],
      ['set of namespaces', { namespaces: 'pid:[1] time:[1] cgroup:[1]' }],
    ])(
      'of a handle from another %s no pid and no path is believed; what is here is found by the id',
      async (_, other) => {
        const handle = await dockerRuntime(engine.docker).adopt(id, { agentId: 'a' });
        const stranger = await dockerRuntime(engine.docker).adopt(bystander, { agentId: 'a' });
        if (handle.local === null || stranger.local === null) throw new Error('not seen to be here');
        // Its pid is the bystander's by now.
        const { pid, startTime } = stranger.local;
        const foreign = { ...handle, local: { ...handle.local, pid, startTime, ...other } };
        const elsewhere = { ...foreign, containerId: 'ab'.repeat(32), local: null };
        engine.fault = () => 'silence';
        const second = dockerRuntime(engine.docker);
        expect((await second.inspect(elsewhere, context(600))).state).toBe('unknown');
        expect(await second.inspect(foreign, context(600))).toMatchObject({ state: 'alive' });
        await second.kill(foreign, context());
        expect(await second.inspect(foreign, context(600))).toMatchObject({ state: 'dead' });
        expect(pidsOf(id)).toEqual([]);
        expect(pidsOf(bystander)).toContain(pid);
      },
    );

    it('a pid that is another process by now is not signalled', async () => {
      const here = dockerRuntime(engine.docker);
      const handle = await here.adopt(id, { agentId: 'a' });
      if (handle.local === null) throw new Error('not seen to be here');
      const pid = pidsOf(bystander)[0]!;
      await here.kill({ ...handle, local: { ...handle.local, pid } }, context());
      expect(pidsOf(id)).toEqual([]);
      expect(pidsOf(bystander)).toContain(pid);
    });
  });
});
