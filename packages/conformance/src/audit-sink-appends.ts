import { type AuditEvent, type AuditRecord, chainFault } from '@agent-killswitch/core';
import { type AuditSinkClause, clause, expectEvents, expectSame, recordsOf } from './audit-sink-clause.ts';
import { sampleEvent, sampleEvents, sampleFailure } from './audit-sink-sample.ts';
import { expectThat } from './clause.ts';

/** An event whose reading fails half-way, as one with a throwing getter does: no sink can write it. */
function unwritable(n: number): AuditEvent {
  return Object.defineProperty({ ...sampleEvent(n) }, 'reason', {
    enumerable: true,
    get() {
      throw new Error('this event cannot be read');
    },
  });
}

const oddTexts = [
  'NUL \0 inside',
  'line\nfeed, carriage\r\nreturn, tab\t, \u2028 and \u2029',
  'quote " backslash \\ apostrophe \' percent %s dollar $1 $& semicolon;--',
  'an escape spelt out: \\ud800 \\u0000 \\n',
  'emoji 👩‍👩‍👧‍👦 and 𝒜, é as one and e\u0301 as two, \ufeff\ufffd',
  '__proto__',
  'constructor',
  '{"json":[1,2]}',
  ' spaces at both ends ',
  'x'.repeat(2_000),
  '😀'.repeat(1_000),
];

/** The promises of `append`. */
export const appendClauses: readonly AuditSinkClause[] = [
  clause('append keeps the order of events, within a batch and across batches (I4)', async (sink) => {
    const events = [5, 3, 8, 1, 9, 2].map((n) => sampleEvent(n));
    await sink.append(events.slice(0, 4));
    await sink.append(events.slice(4));
    await expectEvents(sink, events);
  }),

  clause('a batch of 1,000 events is kept whole and in order (I4)', async (sink) => {
    const events = sampleEvents(0, 1_000);
    await sink.append(events);
    await expectEvents(sink, events);
  }),

  clause(
    'a batch that cannot be written leaves nothing behind, and the next one is taken (I4)',
    async (sink) => {
      await sink.append([sampleEvent(0)]);
      const heads = await sink.heads();
      const outcome = await sink.append([sampleEvent(1), unwritable(2), sampleEvent(3)]).then(
        () => 'taken',
        () => 'rejected',
      );
      expectThat(outcome === 'rejected', 'a batch with an unreadable event is rejected');
      await expectEvents(sink, [sampleEvent(0)]);
      expectSame(await sink.heads(), heads, 'the heads after a rejected batch');
      await sink.append(sampleEvents(1, 3));
      await expectEvents(sink, sampleEvents(0, 4));
    },
  ),

  clause('an event id is on record once, however often it is appended (I4)', async (sink) => {
    await sink.append(sampleEvents(0, 3));
    await sink.append(sampleEvents(0, 3));
    await expectEvents(sink, sampleEvents(0, 3));
    await sink.append([sampleEvent(2), sampleEvent(3), sampleEvent(1), sampleEvent(4)]);
    await expectEvents(sink, sampleEvents(0, 5));
  }),

  clause('an event id that a batch holds twice is on record once (I4)', async (sink) => {
    await sink.append([sampleEvent(0), sampleEvent(1), sampleEvent(0)]);
    await expectEvents(sink, sampleEvents(0, 2));
  }),

  clause('each chain runs from 0 without a gap, and each record verifies', async (sink) => {
    for (const [first, count] of [
      [0, 1],
      [1, 3],
      [4, 2],
    ] as const)
      await sink.append(sampleEvents(first, count));
    await sink.append(sampleEvents(0, 6));
    await sink.append([sampleEvent(6), sampleEvent(7, { workspaceId: 'other' })]);
    await sink.append([sampleEvent(8, { workspaceId: 'other' }), sampleEvent(9, { workspaceId: undefined })]);
    expectSame((await recordsOf(sink)).length, 10, 'the number of records');
    expectChained(await recordsOf(sink));
  }),

  clause('many appends, one right after the other, leave unbroken chains (I4)', async (sink) => {
    for (let n = 0; n < 60; n += 2) await sink.append(sampleEvents(n, 2));
    await expectEvents(sink, sampleEvents(0, 60));
    expectChained(await recordsOf(sink));
  }),

  clause('an empty append is fine and changes nothing', async (sink) => {
    await sink.append([]);
    expectSame(await sink.heads(), [], 'the heads after an empty append');
    await sink.append([sampleEvent(0)]);
    const heads = await sink.heads();
    await sink.append([]);
    expectSame(await sink.heads(), heads, 'the heads after a second empty append');
    await expectEvents(sink, [sampleEvent(0)]);
  }),

  clause('odd text comes back equal: NUL, escapes, emoji, __proto__, 2,000 characters', async (sink) => {
    const events = [
      ...oddTexts.map((reason, n) => sampleEvent(n, { reason })),
      sampleFailure(50, 'a lone surrogate \ud800 and another \udfff'),
      sampleFailure(51, ''),
    ];
    await sink.append(events);
    await expectEvents(sink, events);
    expectChained(await recordsOf(sink));
  }),
];

/** That each chain among these records is whole so far. */
export function expectChained(records: readonly AuditRecord[]): void {
  const last = new Map<string, AuditRecord>();
  for (const record of records) {
    const fault = chainFault(last.get(record.partition), record.partition, record);
    expectThat(
      fault === undefined,
      `record ${record.seq} follows the one before on its chain, without a fault of ${fault}`,
    );
    last.set(record.partition, record);
  }
}
