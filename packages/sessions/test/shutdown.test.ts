import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { marked, Service } from './support/service.ts';
import type { AgentKind, ServicePlan } from './support/service-plan.ts';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

async function serve(plan: Omit<ServicePlan, 'folder' | 'prefix'> = {}, command?: readonly string[]) {
  const prefix = `${randomUUID()}-`;
  const service = new Service({ ...plan, prefix }, command);
  onTestFinished(() => {
    service.dispose();
    for (const pid of marked(prefix)) process.kill(pid, 'SIGKILL');
  });
  await service.until('ready');
  return { service, prefix };
}

const everyKind: readonly AgentKind[] = [
  'child',
  'deaf child',
  'forking child',
  'session',
  'session',
  'worker',
];

describe('D3: graceful shutdown', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s: all end, checkpoints are saved, it is on record, exit code 0',
    async (signal) => {
      const { service, prefix } = await serve({ kinds: everyKind, graceMs: 300 });
      const worker = async () => (await service.record(`${prefix}5`))?.checkpoint?.number;
      await expect.poll(worker, { timeout: 60_000 }).toBe(2);
      expect(marked(prefix).length).toBeGreaterThanOrEqual(5);
      service.child.kill(signal);
      expect(await service.ended()).toEqual({ code: 0, signal: null });
      expect(marked(prefix)).toEqual([]);
      const events = await service.events();
      expect(events.filter(({ type }) => type === 'order.requested')).toMatchObject([
        {
          operation: 'stop-host',
          scope: { host: 'service' },
          principal: { id: 'system:shutdown' },
          reason: signal,
        },
      ]);
      expect(events.filter(({ type }) => type === 'agent.killed')).toHaveLength(6);
      expect(events.filter(({ type }) => type === 'order.settled')).toMatchObject([{ total: 6, killed: 6 }]);
      for (const n of [3, 4])
        expect((await service.record(`${prefix}${n}`))?.checkpoint?.json).toBe('"last words"');
      expect((await service.record(`${prefix}5`))?.checkpoint).toMatchObject({ number: 2 });
    },
  );

  it('agents that heed their signal end in the grace, of which no more is used than they need', async () => {
    const { service } = await serve({ kinds: ['session', 'session'], graceMs: 600_000 });
    service.child.kill('SIGTERM');
    expect((await service.ended()).code).toBe(0);
    const killed = (await service.events()).filter(({ type }) => type === 'agent.killed');
    expect(killed).toMatchObject([{ forced: false }, { forced: false }]);
  });

  it('zero sessions is fine, and waits for no grace', async () => {
    const { service } = await serve({ graceMs: 600_000 });
    service.child.kill('SIGTERM');
    expect((await service.ended()).code).toBe(0);
    expect((await service.events()).map(({ type }) => type)).toEqual(['order.requested', 'order.settled']);
  });

  it('a second signal ends the grace at once', async () => {
    const { service, prefix } = await serve({ kinds: ['deaf child'], graceMs: 600_000 });
    service.child.kill('SIGTERM');
    await expect.poll(async () => (await service.events()).length, { timeout: 60_000 }).toBeGreaterThan(0);
    service.child.kill('SIGINT');
    expect((await service.ended()).code).toBe(0);
    expect(marked(prefix)).toEqual([]);
    expect(service.errors).toContain('SIGINT while shutting down: the grace is over');
  });

  it('calling it twice is safe: one promise, one shutdown, also beside the handlers', async () => {
    const { service } = await serve({ kinds: ['session'], callTwice: true });
    service.child.kill('SIGTERM');
    expect((await service.ended()).code).toBe(0);
    expect(await service.until('same').catch(() => service.told.find((told) => 'same' in told))).toEqual({
      same: true,
    });
    expect((await service.events()).filter(({ type }) => type === 'order.requested')).toHaveLength(1);
  });

  it('who is not confirmed dead is named, and the exit code is 1; after the hurry of a second signal too', async () => {
    const { service, prefix } = await serve({
      kinds: ['deaf session', 'child'],
      graceMs: 600_000,
      confirmWithin: 1_000,
    });
    await service.until('saved');
    service.child.kill('SIGTERM');
    await expect.poll(async () => (await service.events()).length, { timeout: 60_000 }).toBeGreaterThan(0);
    service.child.kill('SIGTERM');
    expect((await service.ended()).code).toBe(1);
    expect(service.errors).toContain(`Agent "${prefix}0" is not confirmed dead: its promise has not settled`);
    expect(marked(prefix)).toEqual([]);
    const saved = service.told.filter((told) => 'saved' in told).map(({ value }) => value);
    expect((await service.record(`${prefix}0`))?.checkpoint?.number).toBeGreaterThanOrEqual(
      Math.max(...saved),
    );
  });
});

describe('works', () => {
  it.each(['node', 'express', 'nest', 'nest hooks'] as const)(
    'beside an HTTP server that is being closed, a request under way is answered (%s)',
    async (server) => {
      const { service, prefix } = await serve({ kinds: ['session', 'deaf child'], server, graceMs: 300 });
      const { port } = await service.until('port');
      const answer = fetch(`http://127.0.0.1:${port}/wait/${prefix}0`);
      await service.until('waiting');
      service.child.kill('SIGTERM');
      expect(await (await answer).text()).toBe('killed');
      // Nest sends itself the signal again when it is done.
      const asNestDoes = { code: null, signal: 'SIGTERM' };
      expect(await service.ended()).toEqual(server === 'nest hooks' ? asNestDoes : { code: 0, signal: null });
      expect(marked(prefix)).toEqual([]);
      expect((await service.record(`${prefix}0`))?.checkpoint?.json).toBe('"last words"');
      expect((await service.events()).filter(({ type }) => type === 'order.settled')).toMatchObject([
        { total: 2, killed: 2 },
      ]);
    },
  );
});
