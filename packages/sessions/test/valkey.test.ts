/** @services valkey */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { redisState } from '@agent-killswitch/adapter-redis';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { redisSessions } from '../src/index.ts';
import {
  ada,
  adas,
  admin,
  bob,
  type Harness,
  harness,
  heeding,
  reason,
  root,
} from '../src/testing/sessions-harness.ts';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

withService('valkey', 'VALKEY_URL', (url) => {
  async function host(hostId: string, prefix: string): Promise<Harness> {
    const client = new Redis(url);
    const state = redisState(client, { prefix });
    const made = await harness(
      {
        hostId,
        state,
        deadlines: { forceAfter: 11_000, confirmWithin: 40_000, state: 10_000, lease: 60_000 },
      },
      { store: redisSessions(client, { prefix }) },
    );
    onTestFinished(async () => {
      await made.ks.close();
      state.close();
      client.disconnect();
    });
    return made;
  }

  it('D4: a session that runs on another host is killed from here; its metadata and last checkpoint are in Valkey', async () => {
    const prefix = `sessions-${randomUUID()}`;
    const [one, two] = [await host('one', prefix), await host('two', prefix)];
    const { ended } = await one.sessions.start('s1', adas, async (context) => {
      await context.checkpoint({ step: 7 });
      return heeding(context);
    });
    await expect
      .poll(async () => (await two.sessions.get('s1'))?.checkpoint?.value, { timeout: 30_000 })
      .toEqual({ step: 7 });
    expect(await two.sessions.get('s1')).toMatchObject({ status: 'running', hostId: 'one' });
    await expect(two.sessions.kill('s1', { principal: bob, reason })).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(await two.sessions.kill('s1', { principal: ada, reason })).toMatchObject({
      settled: true,
      killed: 1,
    });
    expect(await ended).toMatchObject({ status: 'rejected', reason: { code: 'agent-stopped' } });
    const post = {
      status: 'killed',
      killedBy: 'ada',
      killReason: reason,
      checkpoint: { value: { step: 7 } },
    };
    for (const { sessions } of [one, two]) {
      expect(await sessions.get('s1')).toMatchObject(post);
      expect((await sessions.list({ workspaceId: 'w' })).items).toMatchObject([post]);
    }
    // A third process, later.
    const three = await host('three', prefix);
    expect(await three.sessions.get('s1')).toMatchObject(post);
  });

  it('D1, D4: 200 sessions on two hosts, killed from both at once, each exactly once; kill-all reaches the rest', async () => {
    const prefix = `sessions-${randomUUID()}`;
    const [one, two] = [await host('one', prefix), await host('two', prefix)];
    const ids = Array.from({ length: 200 }, (_, n) => `s${n}`);
    await Promise.all(ids.map((id, n) => (n % 2 === 0 ? one : two).sessions.start(id, adas, heeding)));
    const answers = await Promise.all(
      ids
        .slice(0, 100)
        .flatMap((id) => [
          one.sessions.kill(id, { principal: ada, reason }),
          two.sessions.kill(id, { principal: admin, reason }),
        ]),
    );
    for (let n = 0; n < 100; n++)
      expect(answers.slice(2 * n, 2 * n + 2).some((answer) => answer !== false)).toBe(true);
    for (const id of ids.slice(0, 100)) {
      const session = await two.sessions.get(id);
      expect(session?.status).toBe('killed');
      expect(['ada', 'adam']).toContain(session?.killedBy);
    }
    expect(await two.sessions.killAll({ principal: root, reason })).toMatchObject({
      total: 100,
      killed: 100,
    });
    // Each host has a record of its own here, in which the same fact has the same id.
    const killed = new Set(
      [...one.events('agent.killed'), ...two.events('agent.killed')].map(({ id }) => id),
    );
    expect(killed.size).toBe(200);
  });

  it('a task that never yields holds its whole host: killed from elsewhere it is not called dead', async () => {
    const prefix = `sessions-${randomUUID()}`;
    const fixture = new URL('fixtures/never-yields.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--conditions=agent-killswitch-source', fixture, url, prefix], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const here = await host('here', prefix);
    const report = await here.sessions.kill('spins', { principal: ada, reason, waitMs: 3_000 });
    expect(report).toMatchObject({ settled: false, killed: 0 });
    await expect
      .poll(() => here.sessions.get('spins'), { timeout: 60_000 })
      .toMatchObject({ status: 'killing', checkpoint: { value: 'about to spin' } });
  });
});
