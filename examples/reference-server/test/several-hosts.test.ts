/**
 * Two servers that share their state in Valkey.
 * @services valkey
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { processesOf } from './support/processes.ts';
import { Site, tokens } from './support/reference-server.ts';

withService('valkey', 'VALKEY_URL', (url) => {
  test('a stop that is asked for on one kills the agents of the other, and holds on both', async () => {
    const prefix = `test-${randomUUID()}`;
    onTestFinished(async () => {
      const client = new Redis(url);
      await client.del(...(await client.keys(`{${prefix}}:*`)));
      client.disconnect();
    });
    class SharedSite extends Site {
      override get environment(): Record<string, string> {
        return { ...super.environment, VALKEY_URL: url, VALKEY_PREFIX: prefix };
      }
    }
    const sites = [new SharedSite(), new SharedSite()] as const;
    onTestFinished(async () => {
      for (const site of sites) await site.dispose();
    });
    const one = await sites[0].boot();
    const other = await sites[1].boot();
    const agents = [
      await other.spawn(tokens.mia, 't', 'stubborn'),
      await one.spawn(tokens.mia, 't', 'forking'),
    ];
    const answer = await one.call('POST', '/api/orchestrator/tasks/t/kill', tokens.mia, {
      reason: 'it went rogue',
    });
    expect(answer.body).toMatchObject({ settled: true, total: 2, killed: 2, failed: 0 });
    for (const agentId of agents) expect(processesOf(agentId)).toEqual([]);
    for (const server of [one, other]) {
      const spawn = await server.call('POST', '/agents/spawn', tokens.mia, {
        taskId: 't',
        agentType: 'worker',
      });
      expect(spawn.status).toBe(423);
    }
    // A server that ends takes its own agents with it, and no others.
    const left = await other.spawn(tokens.mia, 't2', 'stubborn');
    expect(await one.terminate()).toBe(0);
    expect((await other.call('GET', `/agents/${left}/status`, tokens.mia)).body.status).toBe('running');
  });
});
