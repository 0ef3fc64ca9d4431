import { describe, expect, it } from 'vitest';
import { transition } from './lifecycle.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };
const throwing = (value: object, name: string) =>
  Object.defineProperty(value, name, {
    enumerable: true,
    get: () => {
      throw new Error('boom');
    },
  }) as never;

describe('bad input is refused by name', () => {
  it.each([
    [{}, 'Invalid scope: must have exactly one of agent, task, workspace, backend, host and everything'],
    [
      { agent: 'a', task: 't' },
      'Invalid scope: must have exactly one of agent, task, workspace, backend, host and everything',
    ],
    [{ agent: 'a/b' }, 'Invalid scope: agent: must be 1 to 128 of'],
    [{ task: 7 }, 'Invalid scope: task: Invalid input: expected string, received number'],
    [{ everything: 1 }, 'Invalid scope: everything: Invalid input: expected true'],
  ])('a scope %j', async (scope, message) => {
    const h = await harness();
    const killing = h.ks.kill(scope as never, request);
    await expect(killing).rejects.toThrow(message);
    await expect(killing).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('a release of what stays stopped for good', async () => {
    const h = await harness();
    for (const scope of [{ agent: 'a' }, { task: 't' }, { host: 'h' }])
      await expect(h.ks.release(scope, request)).rejects.toThrow('agents and tasks stay stopped for good');
  });

  it('a grant with an unknown role, or one that lacks or has too much', async () => {
    const h = await harness();
    const grants = [
      [{ role: 'root' }, 'principal.grants.0.role'],
      [{ role: 'member' }, 'principal.grants.0.workspaceId'],
      [{ role: 'super-admin', workspaceId: 'w1' }, 'Unrecognized key: "workspaceId"'],
    ] as const;
    for (const [grant, message] of grants) {
      const principal = { ...root, grants: [grant] } as never;
      const killing = h.ks.kill({ workspace: 'w1' }, { principal, reason: 'drill' });
      await expect(killing).rejects.toThrow(message);
      await expect(killing).rejects.toMatchObject({ code: 'invalid-input' });
      const asked = { principal, action: 'kill', scope: { everything: true } } as const;
      for (const asking of [h.ks.authorise(asked, 'drill'), h.ks.may(asked)])
        await expect(asking).rejects.toThrow('Invalid principal: ');
    }
    for (const asking of [h.ks.authorise(undefined as never), h.ks.may(undefined as never)])
      await expect(asking).rejects.toMatchObject({ code: 'invalid-input' });
    expect(h.audit.events()).toEqual([]);
  });

  it('a handle for an agent that is not there, and of a runtime that is not', async () => {
    const h = await harness();
    await expect(h.ks.running('nobody', [h.runtime.spawn()])).rejects.toMatchObject({
      code: 'unknown-target',
      message: 'No agent "nobody"',
    });
    await h.agent('a1');
    const misspelt = h.ks.running('a1', [{ runtime: 'dokcer' }]);
    await expect(misspelt).rejects.toThrow('no runtime is named "dokcer"');
    await expect(h.ks.running('a1', [])).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it.each([undefined, null, {}, 7, Symbol('x')])('%s in place of an id', async (id) => {
    const h = await harness();
    const wrong = { code: 'invalid-input', message: expect.stringContaining('must be a string') };
    for (const call of [
      () => h.ks.running(id as never, [h.runtime.spawn()]),
      () => h.ks.completed(id as never),
      () => h.ks.failed(id as never, 'x'),
      () => h.ks.agent(id as never),
      () => h.ks.task(id as never),
      () => h.ks.order(id as never),
      () => h.ks.report(id as never),
      () => h.ks.listHost(id as never, { limit: 1 }),
    ])
      await expect(call()).rejects.toMatchObject(wrong);
  });

  it('what cannot be read', async () => {
    const h = await harness();
    const wrong = { code: 'invalid-input', message: expect.stringContaining('cannot be read: Error: boom') };
    await h.agent('a1');
    for (const call of [
      () => h.ks.kill(throwing({}, 'agent'), request),
      () => h.ks.kill({ agent: 'a1' }, throwing({ reason: 'drill' }, 'principal')),
      () => h.ks.admit(throwing({ agentId: 'b', taskId: 't', workspaceId: 'w1' }, 'ownerId')),
      () => h.ks.running('a1', [throwing({ runtime: 'memory' }, 'id')]),
    ])
      await expect(call()).rejects.toMatchObject(wrong);
    expect((await h.ks.agent('a1')).status).toBe('running');
  });

  it('a question that cannot be asked, whoever asks it', async () => {
    const h = await harness();
    const asked = { principal: root, action: 'read', scope: { everything: true } } as const;
    for (const [wrong, path] of [
      [{ action: 'frobnicate' }, 'action'],
      [{ scope: null }, 'scope'],
      [{ scope: { task: 'a\nb' } }, 'scope.task'],
      [{ workspaceId: 7 }, 'workspaceId'],
      [{ ownerId: 'a/b' }, 'ownerId'],
    ] as const)
      for (const ask of [h.ks.authorise, h.ks.may])
        await expect(ask({ ...asked, ...wrong } as never)).rejects.toThrow(`Invalid request: ${path}: `);
    await expect(h.ks.authorise(asked, ' ')).rejects.toThrow('Invalid reason: must not be blank');
    await expect(h.ks.may(throwing({ ...asked }, 'principal'))).rejects.toMatchObject({
      code: 'invalid-input',
    });
    expect(h.audit.events()).toEqual([]);
  });

  it('a transition that is not in the machine', async () => {
    const h = await harness();
    await h.agent('a1');
    const agent = await h.ks.agent('a1');
    for (const event of [{ type: 'explode', at: 1 }, { type: 'cleaned', ledger: [] }, {}])
      expect(() => transition(agent, event as never)).toThrow(
        expect.objectContaining({
          code: 'invalid-transition',
          message: expect.stringContaining('"a1" is running'),
        }),
      );
  });
});
