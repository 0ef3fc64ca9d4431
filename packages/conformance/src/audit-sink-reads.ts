import { expectChained } from './audit-sink-appends.ts';
import {
  type AuditSinkClause,
  clause,
  expectEvents,
  expectSame,
  recordsOf,
  reopenClause,
} from './audit-sink-clause.ts';
import { sampleEvent, sampleEvents, sampleFailure } from './audit-sink-sample.ts';
import { expectThat } from './clause.ts';

const filed = [
  sampleEvent(0, { orderId: 'a', workspaceId: 'v' }),
  sampleEvent(1, { orderId: 'b', workspaceId: 'v' }),
  sampleEvent(2, { orderId: 'a', workspaceId: 'w' }),
  sampleEvent(3, { orderId: 'b', workspaceId: undefined }),
  sampleFailure(4, 'belongs to no order'),
  sampleEvent(5, { orderId: 'a', workspaceId: 'v' }),
];
const filters = [
  { query: {}, expected: [0, 1, 2, 3, 4, 5] },
  { query: { orderId: 'a' }, expected: [0, 2, 5] },
  { query: { orderId: 'A' }, expected: [] },
  { query: { workspaceId: 'v' }, expected: [0, 1, 5] },
  { query: { workspaceId: 'undefined' }, expected: [] },
  { query: { after: 0 }, expected: [1, 2, 3, 4, 5] },
  { query: { after: 4 }, expected: [5] },
  { query: { after: 5 }, expected: [] },
  { query: { after: -1 }, expected: [0, 1, 2, 3, 4, 5] },
  { query: { orderId: 'a', workspaceId: 'v', after: 0 }, expected: [5] },
];

/** The promises of `read` and `head`, and of storage that outlives a sink. */
export const readClauses: readonly AuditSinkClause[] = [
  clause('read filters by order, by workspace and by what comes after', async (sink) => {
    await sink.append(filed);
    for (const { query, expected } of filters) {
      await expectEvents(
        sink,
        expected.map((index) => filed[index]),
        query,
      );
    }
    const [record] = await recordsOf(sink, { after: 4 });
    expectSame(record?.seq, 5, 'the seq of a record that was filtered out of the middle');
  }),

  clause('read sees everything that was appended before the call', async (sink) => {
    await expectEvents(sink, []);
    for (let n = 0; n < 10; n += 1) {
      await sink.append([sampleEvent(n)]);
      await expectEvents(sink, sampleEvents(0, n + 1));
    }
  }),

  clause('an append neither waits for a reader nor disturbs it (I5)', async (sink) => {
    await sink.append(sampleEvents(0, 300));
    const seen = [];
    for await (const record of sink.read()) {
      if (seen.length === 10) await sink.append(sampleEvents(300, 300));
      seen.push(record);
    }
    expectChained(seen);
    expectThat(seen.length >= 300, 'a reader gets every record that was there when it began');
    await expectEvents(sink, sampleEvents(0, 600));
  }),

  clause('a reader that leaves early harms nobody', async (sink) => {
    await sink.append(sampleEvents(0, 20));
    for (let round = 0; round < 20; round += 1) {
      for await (const record of sink.read()) if (record.seq === 3) break;
    }
    await sink.append([sampleEvent(20)]);
    await expectEvents(sink, sampleEvents(0, 21));
  }),

  clause('head is the newest record, and undefined while there is none', async (sink) => {
    expectSame(await sink.head(), undefined, 'the head of an empty chain');
    for (let n = 0; n < 6; n += 2) {
      await sink.append(sampleEvents(n, 2));
      const last = (await recordsOf(sink)).at(-1);
      expectSame(await sink.head(), last && { seq: last.seq, hash: last.hash }, 'the head');
      expectSame(last?.seq, n + 1, 'the newest seq');
    }
  }),

  clause(
    'open, if there is one, can be called at any time, again and at once, and changes nothing',
    async (sink) => {
      await Promise.all([sink.open?.(), sink.open?.(), sink.open?.()]);
      expectSame(await sink.head(), undefined, 'the head of an empty chain');
      await sink.append(sampleEvents(0, 3));
      const records = await recordsOf(sink);
      await sink.open?.();
      await Promise.all([sink.open?.(), sink.append([sampleEvent(3)])]);
      await expectEvents(sink, sampleEvents(0, 4));
      expectSame((await recordsOf(sink)).slice(0, 3), records, 'the records of before');
    },
  ),

  reopenClause('storage opened again continues its chain (I4)', async (sink, reopen) => {
    await sink.append(sampleEvents(0, 5));
    const head = await sink.head();
    const again = await reopen();
    expectSame(await again.head(), head, 'the head after opening again');
    await expectEvents(again, sampleEvents(0, 5));
    await again.append([sampleEvent(4), sampleEvent(5)]);
    await expectEvents(again, sampleEvents(0, 6));
    expectChained(await recordsOf(again));
  }),
];
