import { describe, expect, it } from 'vitest';
import { auditEventSchema } from './audit-event.ts';
import { createKillswitch } from './create-killswitch.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import { admin, alice, bob, harness, rogue, root, stranger } from './testing/harness.ts';

const reason = 'it went rogue';

describe('kill', () => {
  it('I3: reports an agent killed only with observed death, with who, what, why, when on record', async () => {
    const h = await harness();
    const handle = await h.agent('a1');
    const report = await h.during(500, h.ks.kill({ agent: 'a1' }, { principal: alice, reason }));
    expect(report).toMatchObject({ settled: true, total: 1, killed: 1, failed: 0, errors: [] });
    expect(report.outcomes[0]).toMatchObject({
      agentId: 'a1',
      taskId: 'task-a1',
      statusBefore: 'running',
      outcome: 'confirmed',
      forced: false,
    });
    expect(h.runtime.isAlive(handle)).toBe(false);
    expect((await h.ks.agent('a1')).status).toBe('killed');
    expect(h.audit.events().map((event) => event.type)).toEqual([
      'order.requested',
      'agent.killed',
      'order.settled',
    ]);
    expect(h.events('agent.killed')[0]).toMatchObject({
      operation: 'kill-agent',
      principal: { id: 'alice', kind: 'user' },
      reason,
      agentId: 'a1',
      taskId: 'task-a1',
      statusBefore: 'running',
    });
    for (const event of h.audit.events()) auditEventSchema.parse(event);
  });

  it('B1: refuses an agent that has ended, and one nobody knows', async () => {
    const h = await harness();
    h.runtime.end(await h.agent('a1'));
    expect(await h.ks.completed('a1')).toBe(true);
    await expect(h.ks.kill({ agent: 'a1' }, { principal: alice, reason })).rejects.toMatchObject({
      code: 'invalid-transition',
    });
    await expect(h.ks.kill({ agent: 'a2' }, { principal: alice, reason })).rejects.toMatchObject({
      code: 'unknown-target',
    });
    expect(h.events('order.requested')).toEqual([]);
  });

  it('takes every scope: task, workspace, backend, everything', async () => {
    const h = await harness();
    const inTask = [await h.agent('a1', { task: 't' }), await h.agent('a2', { task: 't' })];
    const inWorkspace = await h.agent('b1', { task: 'u' });
    const onBackend = await h.agent('c1', { workspace: 'w2', owner: 'zoe', backend: 'gpu' });
    const elsewhere = await h.agent('d1', { workspace: 'w2', owner: 'zoe', task: 'v' });
    const alive = () =>
      [...inTask, inWorkspace, onBackend, elsewhere].map((handle) => h.runtime.isAlive(handle));
    await h.during(500, h.ks.kill({ task: 't' }, { principal: alice, reason }));
    expect(alive()).toEqual([false, false, true, true, true]);
    await h.during(500, h.ks.kill({ workspace: 'w1' }, { principal: admin, reason }));
    expect(alive()).toEqual([false, false, false, true, true]);
    await h.during(500, h.ks.kill({ backend: 'gpu' }, { principal: root, reason }));
    expect(alive()).toEqual([false, false, false, false, true]);
    await h.during(500, h.ks.kill({ everything: true }, { principal: root, reason }));
    expect(alive()).toEqual([false, false, false, false, false]);
  });

  it('B2: skips agents that have ended, and one that fails does not stop the rest', async () => {
    const h = await harness();
    h.runtime.end(await h.agent('done', { task: 't' }));
    await h.ks.completed('done');
    await h.agent('bad', { task: 't', behaviour: 'failing' });
    const good = await h.agent('good', { task: 't' });
    const report = await h.during(6_000, h.ks.kill({ task: 't' }, { principal: alice, reason }));
    expect(report).toMatchObject({ settled: false, total: 2, killed: 1, failed: 1 });
    expect(report.errors).toEqual([expect.stringContaining('"bad" is not confirmed dead')]);
    expect(h.runtime.isAlive(good)).toBe(false);
    expect((await h.ks.agent('done')).status).toBe('completed');
  });

  it('forces at the force time what the kill does not move', async () => {
    const h = await harness();
    const handle = await h.agent('a1', { behaviour: 'stubborn' });
    const kill = h.ks.kill({ agent: 'a1' }, { principal: alice, reason });
    await h.clock.advance(1_990);
    expect(h.runtime.isAlive(handle)).toBe(true);
    await h.clock.advance(50);
    expect(h.runtime.isAlive(handle)).toBe(false);
    expect((await h.during(200, kill)).outcomes[0]).toMatchObject({ outcome: 'confirmed', forced: true });
    const [event] = h.events('agent.killed');
    expect(event?.signalledAt).toBe(event?.requestedAt);
    expect(Date.parse(event?.forcedAt ?? '') - Date.parse(event?.requestedAt ?? '')).toBeGreaterThanOrEqual(
      1_990,
    );
  });

  it.each(['immortal', 'hung', 'failing'] as const)(
    'I1: names a %s agent at the deadline, keeps the gate shut and tries on',
    async (behaviour) => {
      const h = await harness();
      const handle = await h.agent('a1', { behaviour });
      const kill = h.ks.kill({ workspace: 'w1' }, { principal: admin, reason });
      await h.clock.advance(5_100);
      const report = await h.during(50, kill);
      expect(report).toMatchObject({ settled: false, total: 1, killed: 0, failed: 1 });
      expect(report.outcomes[0]).toMatchObject({ agentId: 'a1', outcome: 'unconfirmed', forced: true });
      await h.clock.advance(1_000);
      expect(h.events('agent.unconfirmed')).toHaveLength(1);
      expect((await h.ks.agent('a1')).status).toBe('killing');
      await expect(h.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });
      if (behaviour !== 'immortal') return;
      h.runtime.end(handle);
      await h.clock.advance(4_000);
      expect((await h.ks.agent('a1')).status).toBe('killed');
      expect(await h.ks.report(report.orderId)).toMatchObject({ settled: true, killed: 1, failed: 0 });
      expect(h.events('agent.killed')).toHaveLength(1);
    },
  );

  it('I5: one that hangs delays no other', async () => {
    const h = await harness();
    await h.agent('hung', { task: 't', behaviour: 'hung' });
    const handles = [];
    for (let i = 0; i < 50; i++) handles.push(await h.agent(`a${i}`, { task: 't' }));
    const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
    await h.clock.advance(20);
    expect(handles.filter((handle) => h.runtime.isAlive(handle))).toEqual([]);
    await h.during(6_000, kill);
  });

  it('kills the agent whose handle arrives after it was claimed', async () => {
    const h = await harness();
    await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    const kill = h.ks.kill({ agent: 'a1' }, { principal: alice, reason });
    await h.clock.advance(500);
    const handle = h.runtime.spawn();
    expect((await h.ks.running('a1', [handle])).status).toBe('killing');
    expect(await h.during(200, kill)).toMatchObject({ settled: true, killed: 1 });
    expect(h.runtime.isAlive(handle)).toBe(false);
  });

  it('takes the word of a host that an agent without a handle never started', async () => {
    const h = await harness();
    await h.ks.admit({ agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' });
    const kill = h.ks.kill({ agent: 'a1' }, { principal: alice, reason });
    await h.clock.advance(100);
    expect(await h.ks.failed('a1', new Error('no memory'))).toBe(false);
    expect((await h.during(200, kill)).outcomes[0]).toMatchObject({
      statusBefore: 'spawning',
      outcome: 'confirmed',
    });
  });

  it('reaches the descendants of an agent and bars new ones', async () => {
    const h = await harness();
    await h.agent('p');
    const child = await h.agent('c', { task: 'task-p', parent: 'p' });
    const grandchild = await h.agent('g', { task: 'task-p', parent: 'c' });
    expect(await h.during(500, h.ks.kill({ agent: 'p' }, { principal: alice, reason }))).toMatchObject({
      total: 3,
      killed: 3,
    });
    expect([h.runtime.isAlive(child), h.runtime.isAlive(grandchild)]).toEqual([false, false]);
    await expect(h.agent('late', { task: 'task-p', parent: 'g' })).rejects.toMatchObject({
      code: 'parent-killed',
    });
  });

  it('I2: who descends from a killed agent does not start, though all in between have ended before', async () => {
    const h = await harness();
    await h.agent('p');
    const child = await h.agent('c', { parent: 'p' });
    h.runtime.end(child);
    expect(await h.ks.completed('c')).toBe(true);
    await h.during(500, h.ks.kill({ agent: 'p' }, { principal: alice, reason }));
    await expect(h.agent('late', { parent: 'c' })).rejects.toMatchObject({ code: 'parent-killed' });
  });

  it('I2: a late completion does not overwrite the kill', async () => {
    const h = await harness();
    await h.agent('a1', { behaviour: 'stubborn' });
    const kill = h.ks.kill({ agent: 'a1' }, { principal: alice, reason });
    await h.clock.advance(100);
    expect(await h.ks.completed('a1')).toBe(false);
    await h.during(3_000, kill);
    expect((await h.ks.agent('a1')).status).toBe('killed');
    expect(await h.ks.failed('a1', 'x')).toBe(false);
    expect((await h.ks.agent('a1')).status).toBe('killed');
  });

  it('I1: an agent that is said to have ended but is seen alive can still be killed, and ends when it is seen dead', async () => {
    const h = await harness();
    const handles = [await h.agent('a1', { task: 't' }), await h.agent('a2', { task: 'u' })];
    expect(await h.ks.completed('a1')).toBe(false);
    expect(await h.ks.failed('a2', 'exited with 1')).toBe(false);
    expect(await h.during(200, h.ks.kill({ task: 't' }, { principal: alice, reason }))).toMatchObject({
      total: 1,
      killed: 1,
    });
    expect(h.runtime.isAlive(handles[0]!)).toBe(false);
    expect((await h.ks.agent('a2')).status).toBe('running');
    h.runtime.end(handles[1]!);
    await h.clock.advance(2_000);
    expect(await h.ks.agent('a2')).toMatchObject({ status: 'failed', error: 'exited with 1' });
  });

  it('I7: a duplicate joins the order in flight, and both callers are on record', async () => {
    const h = await harness();
    await h.agent('a1', { behaviour: 'stubborn' });
    const first = h.ks.kill({ agent: 'a1' }, { principal: alice, reason });
    await h.clock.advance(100);
    const second = h.ks.kill({ agent: 'a1' }, { principal: admin, reason: 'me too' });
    const reports = await h.during(3_000, Promise.all([first, second]));
    expect(reports[1].orderId).toBe(reports[0].orderId);
    expect(h.events('order.requested').map((event) => event.principal.id)).toEqual(['alice', 'adam']);
    expect(h.events('order.joined')[0]).toMatchObject({
      joinedOrderId: reports[0].orderId,
      principal: { id: 'adam' },
    });
    expect(h.events('agent.killed')).toHaveLength(1);
    expect(h.events('order.settled')).toHaveLength(1);
  });

  it('a wider order joins the kills under way, each agent is killed and recorded once', async () => {
    const h = await harness();
    await h.agent('a1', { behaviour: 'stubborn' });
    const narrow = h.ks.kill({ agent: 'a1' }, { principal: alice, reason });
    await h.clock.advance(100);
    const wide = h.ks.emergencyStop({ principal: root, reason: 'all of it' });
    const [one, all] = await h.during(3_000, Promise.all([narrow, wide]));
    expect([one.killed, all.killed]).toEqual([1, 1]);
    expect(h.events('agent.killed')).toHaveLength(1);
  });

  it('refuses an empty, blank or endless reason and nonsense scopes by name, and changes nothing', async () => {
    const h = await harness();
    await h.agent('a1');
    for (const bad of ['', '  \t\n', '\u200b', 'x'.repeat(2_001), 7, undefined]) {
      await expect(
        h.ks.kill({ agent: 'a1' }, { principal: alice, reason: bad as string }),
      ).rejects.toMatchObject({ code: 'invalid-input' });
    }
    for (const scope of [
      {},
      { agent: 'a1', task: 't' },
      { planet: 'x' },
      null,
      { agent: '__proto__' },
      { agent: 'a/b' },
      { agent: 'a\0' },
      { agent: 'x'.repeat(10_000) },
    ]) {
      await expect(h.ks.kill(scope as never, { principal: alice, reason })).rejects.toMatchObject({
        code: 'invalid-input',
      });
    }
    expect((await h.ks.agent('a1')).status).toBe('running');
    expect(h.audit.events()).toEqual([]);
  });
});

describe('authority', () => {
  it("A1: a member kills their own task, not another's; the refusal is on record", async () => {
    const h = await harness();
    const handle = await h.agent('a1', { task: 't' });
    await expect(h.ks.kill({ task: 't' }, { principal: bob, reason })).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(h.runtime.isAlive(handle)).toBe(true);
    expect(h.events('request.denied')[0]).toMatchObject({
      action: 'kill',
      scope: { task: 't' },
      principal: { id: 'bob' },
      reason,
    });
  });

  it('I11: a foreign id and an unknown id look the same', async () => {
    const h = await harness();
    await h.agent('a1', { task: 't' });
    const errorOf = (scope: { task: string } | { agent: string }) =>
      h.ks
        .kill(scope, { principal: stranger, reason })
        .catch((error: Error) => error.message.replace(/"[^"]+"/, 'ID'));
    expect(await errorOf({ task: 't' })).toBe(await errorOf({ task: 'nope' }));
    expect(await errorOf({ agent: 'a1' })).toBe(await errorOf({ agent: 'nope' }));
    expect(h.events('request.denied')).toHaveLength(4);
  });

  it.each([
    ['workspace', alice, 'w1'],
    ['workspace', stranger, 'w1'],
  ] as const)('A2: kill-all of a %s is refused to %o', async (_, principal, workspace) => {
    const h = await harness();
    await expect(h.ks.kill({ workspace }, { principal, reason })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('A3, A4: emergency stop and revocation are for the super admin', async () => {
    const h = await harness();
    for (const principal of [alice, admin, stranger]) {
      await expect(h.ks.emergencyStop({ principal, reason })).rejects.toMatchObject({ code: 'forbidden' });
      await expect(h.ks.revokeBackend('local', { principal, reason })).rejects.toMatchObject({
        code: 'forbidden',
      });
    }
    expect((await h.ks.status()).gates).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('policy engine down');
      },
    ],
    ['hangs', () => new Promise<never>(() => undefined)],
    ['answers nonsense', () => ({ effect: 'sure' }) as never],
  ])(
    'a policy engine that %s refuses a release, while a kill falls back on the role table',
    async (_, decide) => {
      const h = await harness({ authorizer: { decide } });
      const handle = await h.agent('a1', { task: 't' });
      expect(await h.during(1_000, h.ks.kill({ task: 't' }, { principal: alice, reason }))).toMatchObject({
        killed: 1,
      });
      expect(h.runtime.isAlive(handle)).toBe(false);
      await expect(
        h.during(1_000, h.ks.release({ everything: true }, { principal: root, reason })),
      ).rejects.toMatchObject({ code: 'forbidden' });
    },
  );
});

describe('gates', () => {
  it('a killed task stays dead for good', async () => {
    const h = await harness();
    await h.agent('a1', { task: 't' });
    await h.during(500, h.ks.kill({ task: 't' }, { principal: alice, reason }));
    await expect(h.agent('a2', { task: 't' })).rejects.toMatchObject({
      code: 'gate-closed',
      gate: { scope: { task: 't' }, reason },
    });
    await expect(h.ks.release({ task: 't' }, { principal: root, reason })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });

  it('a kill-all bars its workspace only until it has settled, unless it holds', async () => {
    const h = await harness();
    await h.during(500, h.ks.kill({ workspace: 'w1' }, { principal: admin, reason }));
    await h.agent('a1');
    await h.during(500, h.ks.kill({ workspace: 'w1' }, { principal: admin, reason, hold: true }));
    await expect(h.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });
    await h.agent('b1', { workspace: 'w2', owner: 'zoe' });
    expect((await h.ks.release({ workspace: 'w1' }, { principal: admin, reason })).gates).toHaveLength(1);
    await h.agent('a3');
  });

  it('an emergency stop latches until released; the release starts nothing', async () => {
    const h = await harness();
    const handle = await h.agent('a1');
    await h.during(500, h.ks.emergencyStop({ principal: root, reason }));
    await expect(h.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });
    await h.ks.release({ everything: true }, { principal: root, reason: 'all clear' });
    await h.clock.advance(5_000);
    expect(h.runtime.isAlive(handle)).toBe(false);
    expect((await h.ks.agent('a1')).status).toBe('killed');
    await h.agent('a3');
    expect(
      h.audit
        .events()
        .map((event) => event.type)
        .slice(-2),
    ).toEqual(['release.requested', 'gate.released']);
  });

  it('I9: an agent principal never releases, whatever its grants', async () => {
    const h = await harness();
    await h.during(500, h.ks.emergencyStop({ principal: root, reason }));
    await expect(h.ks.release({ everything: true }, { principal: rogue, reason })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(h.agent('a2')).rejects.toMatchObject({ code: 'gate-closed' });
    expect(h.events('request.denied')).toHaveLength(1);
  });

  it('a revoked backend stays shut, others stay open', async () => {
    const h = await harness();
    const handle = await h.agent('a1', { backend: 'gpu' });
    await h.during(500, h.ks.revokeBackend('gpu', { principal: root, reason }));
    expect(h.runtime.isAlive(handle)).toBe(false);
    await expect(h.agent('a2', { backend: 'gpu' })).rejects.toMatchObject({ code: 'gate-closed' });
    await h.agent('a3');
    await h.ks.release({ backend: 'gpu' }, { principal: root, reason });
    await h.agent('a4', { backend: 'gpu' });
  });

  it('I1: of spawners that race an emergency stop, none has a living agent afterwards', async () => {
    const h = await harness();
    const spawns = Array.from({ length: 100 }, async (_, i) => {
      for (let turn = 0; turn < i * 3; turn++) await undefined;
      return h.agent(`a${i}`).catch(() => undefined);
    });
    const stop = h.ks.emergencyStop({ principal: root, reason });
    await h.during(2_000, stop);
    const handles = (await Promise.all(spawns)).filter((handle) => handle !== undefined);
    await h.clock.advance(1_000);
    expect(handles.length).toBeGreaterThan(0);
    expect(handles.filter((handle) => h.runtime.isAlive(handle))).toEqual([]);
  });
});

describe('stop', () => {
  it('gives the grace, then climbs the ladder', async () => {
    const h = await harness();
    const handles = [
      await h.agent('a1', { task: 't', behaviour: 'graceful' }),
      await h.agent('a2', { task: 't', behaviour: 'cooperative' }),
      await h.agent('a3', { task: 't', behaviour: 'stubborn' }),
    ];
    const alive = () => handles.map((handle) => h.runtime.isAlive(handle));
    const stop = h.ks.stop({ task: 't' }, { principal: alice, reason, graceMs: 3_000 });
    await h.clock.advance(2_900);
    expect(alive()).toEqual([false, true, true]);
    await expect(h.agent('a4', { task: 't' })).rejects.toMatchObject({ code: 'gate-closed' });
    await h.clock.advance(200);
    expect(alive()).toEqual([false, false, true]);
    await h.clock.advance(2_000);
    expect(alive()).toEqual([false, false, false]);
    expect(await h.during(200, stop)).toMatchObject({ settled: true, killed: 3 });
    expect(h.events('order.requested')[0]).toMatchObject({ operation: 'stop-task' });
  });

  it('I7: a kill ends the grace of a stop under way; a stop does not soften a kill', async () => {
    const h = await harness();
    const handle = await h.agent('a1', { task: 't' });
    const stop = h.ks.stop({ task: 't' }, { principal: alice, reason, graceMs: 60_000 });
    await h.clock.advance(1_000);
    const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
    await h.clock.advance(100);
    expect(h.runtime.isAlive(handle)).toBe(false);
    expect((await h.during(200, kill)).orderId).toBe((await h.during(200, stop)).orderId);

    const stubborn = await h.agent('b1', { task: 'u', behaviour: 'stubborn' });
    const hard = h.ks.kill({ task: 'u' }, { principal: alice, reason });
    const soft = h.ks.stop({ task: 'u' }, { principal: alice, reason, graceMs: 60_000 });
    await h.clock.advance(2_100);
    expect(h.runtime.isAlive(stubborn)).toBe(false);
    await h.during(200, Promise.all([hard, soft]));
  });
});

describe('preview', () => {
  it('names who a kill would hit, and has no effect', async () => {
    const h = await harness();
    await h.agent('a1', { task: 't' });
    h.runtime.end(await h.agent('a2', { task: 'u' }));
    await h.agent('a3', { workspace: 'w2', owner: 'zoe', task: 'v' });
    await h.ks.completed('a2');
    const preview = await h.ks.preview({ workspace: 'w1' }, admin);
    expect(preview).toMatchObject({
      total: 1,
      byStatus: { running: 1 },
      tasks: 1,
      workspaces: 1,
      agents: [{ agentId: 'a1' }],
    });
    expect(await h.ks.preview({ everything: true }, root)).toMatchObject({ total: 2, workspaces: 2 });
    expect((await h.ks.status()).gates).toEqual([]);
    expect(h.audit.events()).toEqual([]);
    const report = await h.during(200, h.ks.kill({ workspace: 'w1' }, { principal: admin, reason }));
    expect(report.outcomes.map((outcome) => outcome.agentId)).toEqual(
      preview.agents.map((agent) => agent.agentId),
    );
  });

  it('is for those who may kill', async () => {
    const h = await harness();
    await h.agent('a1', { task: 't' });
    await expect(h.ks.preview({ task: 't' }, bob)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(h.ks.preview({ task: 't' }, stranger)).rejects.toMatchObject({ code: 'unknown-target' });
  });
});

describe('release', () => {
  it('with two approvals opens for two different people, over a restart, and not for one asking twice', async () => {
    const h = await harness({ release: { approvals: 2 } });
    await h.during(500, h.ks.emergencyStop({ principal: root, reason }));
    const other = { ...root, id: 'rita' };
    expect(await h.ks.release({ everything: true }, { principal: root, reason: 'ok' })).toMatchObject({
      released: false,
      needed: 2,
    });
    expect(await h.ks.release({ everything: true }, { principal: root, reason: 'ok!' })).toMatchObject({
      released: false,
    });
    await expect(h.agent('a1')).rejects.toMatchObject({ code: 'gate-closed' });
    await h.ks.close();
    const again = await harness({ release: { approvals: 2 }, state: h.state, audit: h.audit });
    expect(await again.ks.release({ everything: true }, { principal: other, reason: 'ok' })).toMatchObject({
      released: true,
      gates: [{ scope: { everything: true } }],
      approvals: [{ principal: { id: 'root' } }, { principal: { id: 'rita' } }],
    });
    await again.agent('a1');
    expect(h.events('release.requested')).toHaveLength(3);
    expect(h.events('gate.released')).toMatchObject([{ approvedBy: [{ id: 'root' }, { id: 'rita' }] }]);
  });

  it('opens only what stood when it was asked for: a stop in between stays, and earlier approvals do not count for it', async () => {
    const h = await harness({ release: { approvals: 2 } });
    await h.during(500, h.ks.emergencyStop({ principal: root, reason }));
    await h.ks.release({ everything: true }, { principal: root, reason: 'ok' });
    await h.during(500, h.ks.emergencyStop({ principal: root, reason: 'again' }));
    expect(
      await h.ks.release({ everything: true }, { principal: { ...root, id: 'rita' }, reason: 'ok' }),
    ).toMatchObject({ released: false });
    await expect(h.agent('a1')).rejects.toMatchObject({ code: 'gate-closed' });
  });
});

describe('hosts', () => {
  it('kills what another host started when that host follows, and settles an order whose host is lost', async () => {
    const state = memoryState();
    const a = await harness({ state });
    const b = await harness({ state, hostId: 'host-2', clock: a.clock });
    const handle = await b.agent('a1', { task: 't' });
    const kill = a.ks.kill({ task: 't' }, { principal: alice, reason });
    expect(await a.during(2_000, kill)).toMatchObject({ settled: true, killed: 1 });
    expect(b.runtime.isAlive(handle)).toBe(false);

    await b.agent('a2', { task: 'u', behaviour: 'immortal' });
    const open = a.ks.kill({ task: 'u' }, { principal: alice, reason });
    await a.clock.advance(6_000);
    const { orderId } = await open;
    await a.ks.close();
    await a.clock.advance(30_000);
    expect((await b.ks.status()).lostHosts).toEqual(['host-1']);
    b.runtime.end({ runtime: 'memory', id: 1 });
    await a.clock.advance(5_000);
    expect(await b.ks.report(orderId)).toMatchObject({ settled: true, killed: 1 });
  });
});

describe('outages', () => {
  const dead = async (): Promise<never> => {
    throw new Error('connection refused');
  };
  const hung = (): Promise<never> => new Promise(() => undefined);

  it.each([
    ['refuses', dead],
    ['hangs', hung],
  ])(
    'I6, I10: with a state store that %s admission refuses, local agents die in time, and all is told later',
    async (_, broken) => {
      const real = memoryState();
      let down = false;
      const state = new Proxy(real, {
        get: (target, name: keyof typeof real) =>
          name === 'watch' ? target.watch.bind(target) : down ? broken : target[name]?.bind(target),
      });
      const h = await harness({ state });
      const handle = await h.agent('a1', { task: 't' });
      down = true;
      const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
      await h.clock.advance(1_500);
      expect(h.runtime.isAlive(handle)).toBe(false);
      const newcomer = { agentId: 'a2', taskId: 'u', workspaceId: 'w1', ownerId: 'alice' };
      await expect(h.during(2_000, h.ks.admit(newcomer))).rejects.toMatchObject({
        code: 'state-unavailable',
      });
      const report = await h.during(5_000, kill);
      expect(report).toMatchObject({ settled: false, killed: 1 });
      expect(report.errors.join()).toContain('Not every agent in scope could be looked at');
      down = false;
      await expect(h.agent('a3', { task: 't' })).rejects.toMatchObject({
        code: /gate-closed|state-unavailable/,
      });
      await h.clock.advance(3_000);
      expect(await real.getAgent('a1')).toMatchObject({ status: 'killed' });
      expect(await h.ks.report(report.orderId)).toMatchObject({ settled: true, killed: 1 });
      expect(h.events('agent.killed')).toHaveLength(1);
      await expect(h.agent('a4', { task: 't' })).rejects.toMatchObject({ code: 'gate-closed' });
    },
  );

  it.each([
    ['refuses', dead],
    ['hangs', hung],
  ])(
    'with an audit sink that %s kills go on, a release refuses, every event is written to the last resort',
    async (_, append) => {
      const sink = memoryAudit();
      let down = true;
      const h = await harness({
        audit: { ...sink, append: (events) => (down ? append() : sink.append(events)) },
      });
      const handle = await h.agent('a1', { task: 't' });
      const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
      await h.clock.advance(300);
      expect(h.runtime.isAlive(handle)).toBe(false);
      await expect(
        h.during(3_000, h.ks.release({ everything: true }, { principal: root, reason })),
      ).rejects.toMatchObject({ code: 'audit-unavailable' });
      expect(await h.during(6_000, kill)).toMatchObject({ killed: 1, failed: 0 });
      expect(h.lines.map((line) => JSON.parse(line).type).sort()).toEqual(
        ['order.requested', 'agent.killed', 'order.settled', 'release.requested'].sort(),
      );
      down = false;
    },
  );

  it('I4: an audit sink that comes back gets every event once, in order', async () => {
    const sink = memoryAudit();
    let down = true;
    const h = await harness({
      audit: { ...sink, append: (events) => (down ? dead() : sink.append(events)) },
    });
    await h.agent('a1', { task: 't' });
    const kill = h.ks.kill({ task: 't' }, { principal: alice, reason });
    await h.during(6_000, kill);
    down = false;
    await h.clock.advance(10_000);
    expect(sink.events().map((event) => event.type)).toEqual([
      'order.requested',
      'agent.killed',
      'order.settled',
    ]);
    expect(await h.ks.report((await kill).orderId)).toMatchObject({ settled: true });
  });

  it('I5: listeners and callers that change what they are given change nothing', async () => {
    const h = await harness();
    h.ks.on('step', ({ order }) => Object.assign(order.scope, { task: 'other' }));
    h.ks.on('transition', ({ agent }) => Object.assign(agent, { status: 'completed', handles: [] }));
    const handle = await h.agent('a1', { task: 't' });
    Object.assign(await h.ks.agent('a1'), { status: 'completed', handles: [] });
    const page = await h.ks.list({ task: 't' }, { limit: 9 });
    Object.assign(page.items[0]!, { status: 'completed' });
    const report = await h.during(200, h.ks.kill({ task: 't' }, { principal: alice, reason }));
    expect(report).toMatchObject({ scope: { task: 't' }, killed: 1, settled: true });
    expect(h.runtime.isAlive(handle)).toBe(false);
    expect((await h.ks.status()).gates).toMatchObject([{ scope: { task: 't' } }]);
    expect(() => h.ks.on('nope' as 'step', () => undefined)).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
    expect(() => h.ks.on('step', 'x' as never)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });

  it('a stop that cannot be stored is in force, visible, said to be so, and no close keeps quiet about it', async () => {
    const real = memoryState();
    let down = false;
    const state = new Proxy(real, {
      get: (target, name: keyof typeof real) =>
        down && name !== 'watch' ? dead : target[name]?.bind(target),
    });
    const h = await harness({ state });
    down = true;
    const report = await h.during(6_000, h.ks.emergencyStop({ principal: root, reason }));
    expect(report).toMatchObject({ stored: false, settled: false });
    expect(report.errors[0]).toContain('not stored yet');
    expect(await h.ks.status()).toMatchObject({
      gates: [{ scope: { everything: true } }],
      openOrders: [{ orderId: report.orderId }],
    });
    await expect(h.during(2_000, h.ks.close())).rejects.toMatchObject({
      code: 'unsaved',
      unsaved: [expect.stringContaining('everything')],
    });
  });

  it('I5: listeners that throw, reject or never return break nothing', async () => {
    const h = await harness();
    const warnings: string[] = [];
    h.ks.on('warning', ({ message }) => warnings.push(message));
    h.ks.on('step', () => {
      throw new Error('listener');
    });
    h.ks.on('transition', (async () => {
      throw new Error('listener');
    }) as () => void);
    h.ks.on('step', (() => new Promise(() => undefined)) as () => void);
    await h.agent('a1');
    expect(await h.during(500, h.ks.kill({ agent: 'a1' }, { principal: alice, reason }))).toMatchObject({
      settled: true,
    });
    expect(warnings.length).toBeGreaterThan(0);
  });
});

describe('cleanup', () => {
  it('B4: every step runs whatever the others did, after death, and is on record with its tries', async () => {
    const seen: string[] = [];
    const step = (name: string, fail: boolean) => ({
      name,
      appliesTo: () => true,
      async run(agent: { status: string }) {
        seen.push(`${name} ${agent.status}`);
        if (fail) throw new Error('password=hunter2 disk gone');
      },
    });
    const h = await harness({ cleanup: [step('container', true), step('worktree', false)] });
    await h.agent('a1');
    const report = await h.during(2_000, h.ks.kill({ agent: 'a1' }, { principal: alice, reason }));
    expect(seen).toEqual(['container killed', 'container killed', 'container killed', 'worktree killed']);
    expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(report.errors).toEqual([expect.stringContaining('cleanup step container failed')]);
    expect(JSON.stringify(h.audit.events())).not.toContain('hunter2');
    expect(h.events('cleanup.finished').map(({ step, status, tries }) => [step, status, tries])).toEqual([
      ['container', 'failed', 3],
      ['worktree', 'done', 1],
    ]);
    expect((await h.ks.agent('a1')).ledger).toMatchObject([
      { step: 'container', status: 'failed' },
      { step: 'worktree', status: 'done' },
    ]);
  });

  it('a step that hangs is given up at its deadline', async () => {
    const hung = { name: 'hung', appliesTo: () => true, run: () => new Promise<void>(() => undefined) };
    const h = await harness({ cleanup: [hung], deadlines: { cleanup: 1_000 } });
    await h.agent('a1');
    const report = await h.during(3_000, h.ks.kill({ agent: 'a1' }, { principal: alice, reason }));
    expect(report).toMatchObject({ settled: true, killed: 1 });
    expect(report.errors[0]).toContain('did not answer within 1000 ms');
  });
});

describe('cleanup over a crash', () => {
  it('is found again at the next start, also for an agent that ended by itself', async () => {
    const done: string[] = [];
    const clean = {
      name: 'worktree',
      appliesTo: () => true,
      run: async (agent: { agentId: string }) => void done.push(agent.agentId),
    };
    const hung = { ...clean, run: () => new Promise<void>(() => undefined) };
    const h = await harness({ cleanup: [hung] });
    h.runtime.end(await h.agent('a1'));
    await h.ks.completed('a1');
    await h.clock.advance(100);
    await h.ks.close();
    const again = await harness({ cleanup: [clean], state: h.state, audit: h.audit, clock: h.clock });
    await h.clock.advance(100);
    expect(done).toEqual(['a1']);
    expect((await again.ks.agent('a1')).ledger).toMatchObject([
      { step: 'worktree', status: 'done', tries: 1 },
    ]);
  });

  it('keeps to the limits of a step', async () => {
    let tries = 0;
    const step = {
      name: 'flaky',
      appliesTo: () => true,
      limits: { tries: 5, backoffMs: 1_000 },
      run: async () => {
        if (++tries < 5) throw new Error('not yet');
      },
    };
    const h = await harness({ cleanup: [step] });
    await h.agent('a1');
    const kill = h.ks.kill({ agent: 'a1' }, { principal: alice, reason });
    await h.clock.advance(6_900);
    expect(tries).toBe(3);
    await h.clock.advance(8_200);
    expect((await h.ks.agent('a1')).ledger).toMatchObject([{ status: 'done', tries: 5 }]);
    await kill;
  });
});

describe('createKillswitch', () => {
  it('refuses nonsense with every fault listed', () => {
    const issues = (() => {
      try {
        createKillswitch({
          hostId: 'a/b',
          state: {},
          audit: null,
          runtimes: { memory: 1 },
          deadlines: { forceAfter: 9_000, confirmWithin: -1 },
          surprise: 1,
        } as never);
      } catch (error) {
        return (error as { issues: string[] }).issues.join('\n');
      }
      return 'accepted';
    })();
    for (const word of [
      'hostId',
      'state',
      'audit',
      'runtimes.memory',
      'confirmWithin',
      'forceAfter (9000)',
      'surprise',
    ])
      expect(issues).toContain(word);
  });

  it('admits nobody before it is started or after it is closed', async () => {
    const h = await harness();
    await h.ks.close();
    await expect(h.agent('a1')).rejects.toMatchObject({ code: 'not-started' });
  });
});

describe('a listing', () => {
  it.each([0, -1, 1.5, 10_001, Number.NaN, '5', undefined])('is refused with the limit %s', async (limit) => {
    const h = await harness();
    const page = { limit } as never;
    await expect(h.ks.list({ everything: true }, page)).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(h.ks.listHost('host-1', page)).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

it.each([undefined, '', '  ', 5, {}])(
  'I3: a runtime that sees death and gives %j as evidence is believed, and the record says that it gave none',
  async (evidence) => {
    for (const count of [1, 2]) {
      const h = await harness();
      h.runtime.inspect = async () => ({ state: 'dead', evidence }) as never;
      await h.agent('a1');
      const handles = [h.runtime.spawn(), h.runtime.spawn()].slice(0, count);
      await h.ks.running('a1', handles).catch(() => undefined);
      await h.during(500, h.ks.kill({ agent: 'a1' }, { principal: alice, reason }));
      expect((await h.ks.agent('a1')).status).toBe('killed');
      expect(h.events('agent.killed')[0]?.evidence).toContain('no evidence given');
    }
  },
);
