/** Whether the record is whole, asked over HTTP: who may ask, in which steps, and what nobody learns on the way (I11). */
import type { AuditSink, PartitionHead } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { world } from './support/audit-world.ts';

const hash = 'a'.repeat(64);
type Verify = NonNullable<AuditSink['verify']>;
const readNothing: Pick<AuditSink, 'read'> = { async *read() {} };
/** A sink with a chain per workspace, of which every check finds what `verify` says. */
const sinkOf = (verify: Verify) => ({ audit: { ...readNothing, verify } });

it('a super admin learns that all is whole, how much there is, and where it ends', async () => {
  const { audit, verify } = await world();
  const [upTo] = await audit.heads();
  expect(await verify('sue')).toEqual({
    status: 200,
    body: { ok: true, complete: true, anchored: false, count: audit.records().length, upTo },
  });
});

it.each([
  ['sue', '', 200],
  ['sue', '?workspaceId=w', 200],
  ['adam', '', 200],
  ['adam', '?workspaceId=w', 200],
  ['adam', '?workspaceId=other', 403],
  ['adam', '?workspaceId=no-such', 403],
  ['zoe', '?workspaceId=w', 403],
  ['both', '', 400],
  ['both', '?workspaceId=w', 200],
  ['mia', '', 403],
  ['mia', '?workspaceId=w', 403],
  ['nobody', '', 401],
])('%s asks for "%s": %i; a refusal is on record', async (who, query, status) => {
  const { audit, verify } = await world();
  const before = audit.records().length;
  expect((await verify(who, query)).status).toBe(status);
  const types = audit.events().slice(before);
  expect(types.map(({ type }) => type)).toEqual(status === 403 ? ['request.denied'] : []);
});

it('names the first bad record to who may read all of its chain, and to others only that there is one', async () => {
  const { audit, verify } = await world();
  const record = audit.records()[2];
  if (record === undefined) throw new Error('the world has records');
  record.event.hostId = 'another';
  expect((await verify('sue')).body).toEqual({
    ok: false,
    complete: false,
    anchored: false,
    count: 2,
    upTo: { partition: 'memory', seq: 1, hash: audit.records()[1]?.hash },
    fault: 'hash',
    at: { partition: 'memory', seq: 2, eventId: record.event.id },
  });
  expect((await verify('adam')).body).toEqual({ ok: false, complete: false, anchored: false, fault: 'hash' });
});

it('who administers a workspace learns of its own chain only, and of it all', async () => {
  const asked: unknown[] = [];
  const upTo = (partition: string): PartitionHead => ({ partition, seq: 7, hash });
  const { verify } = await world(
    sinkOf(async (request) => {
      asked.push(request);
      return { ok: true, isComplete: true, count: 8, isAnchored: true, upTo: upTo('w') };
    }),
  );
  expect((await verify('adam')).body).toEqual({
    ok: true,
    complete: true,
    anchored: true,
    count: 8,
    upTo: upTo('w'),
  });
  expect(asked).toEqual([{ forMs: 4_000, workspaceId: 'w' }]);
  const careless = await world(
    sinkOf(async () => ({
      ok: false,
      at: { partition: 'other', seq: 3, eventId: 'of others' },
      fault: 'column',
      count: 3,
      isAnchored: true,
      upTo: upTo('other'),
    })),
  );
  expect((await careless.verify('adam')).body).toEqual({
    ok: false,
    complete: false,
    anchored: true,
    fault: 'column',
  });
});

it('a long record is checked in steps, each from the cursor of the one before, which is of its question', async () => {
  const afters: unknown[] = [];
  const steps: Verify = async ({ after } = {}) => {
    afters.push(after?.seq);
    const seq = (after?.seq ?? -1) + 10;
    return {
      ok: true,
      isComplete: seq > 25,
      count: 10,
      isAnchored: false,
      upTo: { partition: 'w', seq, hash },
    };
  };
  const { verify, get } = await world(sinkOf(steps));
  const counts: number[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await verify('adam', cursor === undefined ? '' : `?cursor=${cursor}`);
    counts.push(body.count);
    expect(body.complete).toBe(body.cursor === undefined);
    cursor = body.cursor;
  } while (cursor !== undefined);
  expect(counts).toEqual([10, 20, 30]);
  expect(afters).toEqual([undefined, 9, 19]);
  const { body } = await verify('adam');
  for (const ask of [
    () => verify('sue', `?cursor=${body.cursor}`),
    () => verify('sue', `?workspaceId=other&cursor=${body.cursor}`),
    () => verify('adam', `?cursor=${body.cursor.slice(2)}`),
    () => get('adam', `?cursor=${body.cursor}`),
  ])
    expect(await ask()).toMatchObject({ status: 400, body: { code: 'invalid-input' } });
  expect(await verify('sue', `?workspaceId=w&cursor=${body.cursor}`)).toMatchObject({ status: 200 });
});

it('one check at a time; readers and kills have room meanwhile (I5)', async () => {
  let finish = (): void => {};
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let checking = 0;
  const { verify, get, ks } = await world(
    sinkOf(async () => {
      checking += 1;
      await gate;
      return { ok: true, isComplete: true, count: 0, isAnchored: false };
    }),
  );
  const first = verify('sue');
  await expect.poll(() => checking).toBe(1);
  expect(await verify('sue')).toMatchObject({ status: 503, body: { code: 'audit-unavailable' } });
  expect((await get('sue')).status).toBe(200);
  const principal = { id: 'sue', kind: 'user', grants: [{ role: 'super-admin' }] } as const;
  expect((await ks.emergencyStop({ principal, reason: 'a test' })).settled).toBe(true);
  finish();
  expect(await first).toMatchObject({ status: 200, body: { ok: true } });
  expect((await verify('sue')).status).toBe(200);
});

it('503 if it cannot look, naming no reason; no such endpoint where the sink cannot tell', async () => {
  const { verify, faults } = await world(sinkOf(() => Promise.reject(new Error('no answer from 10.0.0.7'))));
  const { status, body } = await verify('sue');
  expect({ status, code: body.code }).toEqual({ status: 503, code: 'audit-unavailable' });
  expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  expect(faults).toEqual(['GET /api/audit/verify: Error: no answer from 10.0.0.7']);
  const without = await world({ audit: readNothing });
  expect(await without.verify('sue')).toMatchObject({ status: 404, body: { code: 'no-such-route' } });
});
