import { type AuditQuery, isKillswitchError, type PartitionHead } from '@agent-killswitch/core';
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

const at = Date.parse('2026-01-02T03:04:05.678Z');
const filed = [
  sampleEvent(0, { orderId: 'a', workspaceId: 'v' }),
  sampleEvent(1, { orderId: 'b', workspaceId: 'v', time: '2026-01-02T03:04:06.000Z' }),
  sampleEvent(2, { orderId: 'a', workspaceId: 'w', time: '2026-01-02T03:04:05.677Z' }),
  sampleEvent(3, { orderId: 'b', workspaceId: undefined }),
  sampleFailure(4, 'belongs to no order'),
  sampleEvent(5, {
    orderId: 'a',
    workspaceId: 'v',
    scope: { agent: 'a' },
    principal: { id: 'p', kind: 'agent' },
  }),
];
const filters = [
  { query: {}, expected: [0, 1, 2, 3, 4, 5] },
  { query: { orderId: 'a' }, expected: [0, 2, 5] },
  { query: { orderId: 'A' }, expected: [] },
  { query: { workspaceId: 'v' }, expected: [0, 1, 5] },
  { query: { workspaceId: 'undefined' }, expected: [] },
  { query: { types: ['cleanup.finished'] }, expected: [4] },
  { query: { types: ['order.requested', 'gate.released'], orderId: 'b' }, expected: [1, 3] },
  { query: { types: [] }, expected: [] },
  { query: { orderId: 'a', workspaceId: 'v' }, expected: [0, 5] },
  { query: { partition: 'no such chain' }, expected: [] },
  { query: { taskId: 'task-1' }, expected: [1] },
  { query: { taskId: 'task' }, expected: [4] },
  { query: { taskId: 'a' }, expected: [] },
  { query: { principalId: 'someone' }, expected: [0, 1, 2, 3] },
  { query: { principalId: 'p', taskId: 'task-5' }, expected: [] },
  { query: { principalId: 'p', workspaceId: 'v' }, expected: [5] },
  { query: { from: at }, expected: [0, 1, 3, 4, 5] },
  { query: { until: at }, expected: [2] },
  { query: { from: at, until: at + 1 }, expected: [0, 3, 4, 5] },
  { query: { from: at, until: at }, expected: [] },
  { query: { from: at + 1, orderId: 'b' }, expected: [1] },
  { query: { until: at + 1, workspaceId: 'v' }, expected: [0, 5] },
] satisfies { query: AuditQuery; expected: number[] }[];

/** The promises of `read` and `heads`, and of storage that outlives a sink. */
export const readClauses: readonly AuditSinkClause[] = [
  clause('read filters by order, workspace, task, principal, type and time', async (sink) => {
    await sink.append(filed);
    for (const { query, expected } of filters) {
      await expectEvents(
        sink,
        expected.map((index) => filed[index]),
        query,
      );
    }
  }),

  clause('read filters by chain, each record bearing its own seq', async (sink) => {
    await sink.append(filed);
    const records = await recordsOf(sink);
    for (const partition of new Set(records.map((record) => record.partition))) {
      const expected = records.filter((record) => record.partition === partition);
      expectSame(await recordsOf(sink, { partition }), expected, `the chain "${partition}"`);
    }
  }),

  clause('the reading order never changes, also when more is appended', async (sink) => {
    await sink.append(filed.slice(0, 4));
    const before = await recordsOf(sink);
    expectSame(await recordsOf(sink), before, 'the record read a second time');
    await sink.append(filed.slice(4));
    expectSame((await recordsOf(sink)).slice(0, 4), before, 'the record of before, with more appended');
  }),

  clause('read goes on after any record, in reading order, whatever else it filters', async (sink) => {
    await sink.append(filed);
    const records = await recordsOf(sink);
    for (const [index, { partition, seq }] of records.entries()) {
      const after = { partition, seq };
      const rest = records.slice(index + 1);
      const what = `what comes after record ${index}`;
      expectSame(await recordsOf(sink, { after }), rest, what);
      const ofV = rest.filter(({ event }) => event.workspaceId === 'v');
      expectSame(await recordsOf(sink, { after, workspaceId: 'v' }), ofV, `${what}, of a workspace`);
      const ofChain = rest.filter((record) => record.partition === partition);
      expectSame(await recordsOf(sink, { after, partition }), ofChain, `${what}, of its chain`);
    }
  }),

  clause('a place that is not on file is refused, not taken for a beginning or an end', async (sink) => {
    await sink.append([sampleEvent(0)]);
    const [head] = await sink.heads();
    const { partition } = head as PartitionHead;
    for (const after of [
      { partition, seq: 1 },
      { partition, seq: -1 },
      { partition, seq: 0.5 },
      { partition: 'no such chain', seq: 0 },
    ]) {
      const outcome: unknown = await recordsOf(sink, { after }).then(
        () => 'an answer',
        (error: unknown) => error,
      );
      const wasRefused = isKillswitchError(outcome, 'invalid-input');
      expectThat(
        wasRefused,
        `reading after record ${after.seq} of "${after.partition}" is refused: invalid-input`,
      );
    }
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

  clause('heads are the newest record of each chain, and none while there is none', async (sink) => {
    expectSame(await sink.heads(), [], 'the heads of an empty sink');
    for (let n = 0; n < 6; n += 2) {
      await sink.append([sampleEvent(n), sampleEvent(n + 1, { workspaceId: `workspace-${n % 4}` })]);
      const newest = new Map<string, PartitionHead>();
      for (const { partition, seq, hash } of await recordsOf(sink))
        newest.set(partition, { partition, seq, hash });
      expectSame(sorted(await sink.heads()), sorted([...newest.values()]), 'the heads');
      const count = [...newest.values()].reduce((sum, { seq }) => sum + seq + 1, 0);
      expectSame(count, n + 2, 'the number of records by the heads');
    }
  }),

  clause(
    'open, if there is one, can be called at any time, again and at once, and changes nothing',
    async (sink) => {
      await Promise.all([sink.open?.(), sink.open?.(), sink.open?.()]);
      expectSame(await sink.heads(), [], 'the heads of an empty sink');
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
    const heads = await sink.heads();
    const again = await reopen();
    expectSame(await again.heads(), heads, 'the heads after opening again');
    await expectEvents(again, sampleEvents(0, 5));
    await again.append([sampleEvent(4), sampleEvent(5)]);
    await expectEvents(again, sampleEvents(0, 6));
    expectChained(await recordsOf(again));
  }),
];

function sorted(heads: readonly PartitionHead[]): PartitionHead[] {
  return heads.toSorted((a, b) => (a.partition < b.partition ? -1 : 1));
}
