/**
 * Agents in containers, over HTTP.
 * @services docker
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dockerCli } from '../../../scripts/services/docker.ts';
import { withService } from '../../../test/support/with-service.ts';
import { type Life, Site, tokens } from './support/reference-server.ts';

withService('docker', 'DOCKER_HOST', (url) => {
  let site: Site;
  let server: Life;
  beforeEach(async () => {
    site = new Site({
      SANDBOX_ENABLED: 'true',
      SANDBOX_IMAGE: process.env.DOCKER_TEST_IMAGE ?? '',
      DOCKER_HOST: url,
    });
    server = await site.boot();
  });
  afterEach(() => site.dispose());

  const containersOf = async (agentId: string): Promise<string[]> => {
    const filter = `label=agent-killswitch.agent=${agentId}`;
    return (await dockerCli(url, ['ps', '-aq', '--no-trunc', '--filter', filter]))
      .split('\n')
      .filter(Boolean);
  };

  it.each(['stubborn', 'forking'])(
    'A1, A5, C4: %s, is killed over HTTP and its container removed',
    async (behaviour) => {
      const agentId = await server.spawn(tokens.mia, 'd', behaviour);
      const [id] = await containersOf(agentId);
      const limits = await dockerCli(url, [
        'inspect',
        '-f',
        '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}',
        id ?? '',
      ]);
      expect(limits).toBe('268435456 1000000000 256');
      const answer = await server.call('POST', '/api/orchestrator/tasks/d/kill', tokens.mia, {
        reason: 'it went rogue',
      });
      expect(answer).toMatchObject({ status: 200, body: { settled: true, killed: 1, failed: 0 } });
      expect(answer.body.outcomes[0].evidence).toContain(id);
      expect(await containersOf(agentId)).toEqual([]);
    },
  );

  it('survives a crash of its server, and is killed after the restart', async () => {
    const agentId = await server.spawn(tokens.mia, 'd', 'stubborn');
    expect(await containersOf(agentId)).toHaveLength(1);
    await server.crash();
    const next = await site.boot();
    const answer = await next.call('POST', '/api/orchestrator/tasks/d/kill', tokens.mia, {
      reason: 'it went rogue',
    });
    expect(answer).toMatchObject({ status: 200, body: { killed: 1, failed: 0 } });
    expect(await containersOf(agentId)).toEqual([]);
  });

  it('ends by itself: completed, and its container removed', async () => {
    const agentId = await server.spawn(tokens.mia, 'd', 'finishing');
    const status = async () =>
      (await server.call('GET', `/agents/${agentId}/status`, tokens.mia)).body.status;
    await expect.poll(status, { timeout: 10_000 }).toBe('completed');
    await expect.poll(() => containersOf(agentId), { timeout: 10_000 }).toEqual([]);
  });

  it('a process all the same, if one is asked for', async () => {
    const agentId = await server.spawn(tokens.mia, 'p', 'stubborn', { runtime: 'process' });
    expect(await containersOf(agentId)).toEqual([]);
  });
});

it('runtime docker without SANDBOX_ENABLED is refused by name', async () => {
  const site = new Site();
  try {
    const server = await site.boot();
    const answer = await server.call('POST', '/agents/spawn', tokens.mia, {
      taskId: 't',
      agentType: 'worker',
      runtime: 'docker',
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('SANDBOX_ENABLED') },
    });
  } finally {
    site.dispose();
  }
});
