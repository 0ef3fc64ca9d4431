import type { AuditSink, Verification, VerificationRequest } from '@agent-killswitch/core';
import { type AuditSinkClause, clause, expectSame } from './audit-sink-clause.ts';
import { sampleEvent, sampleEvents } from './audit-sink-sample.ts';
import { expectThat } from './clause.ts';

/** What was found, of a record that nobody has changed. */
async function whole(sink: AuditSink, request?: VerificationRequest): Promise<Verification & { ok: true }> {
  const found = await sink.verify?.(request);
  expectThat(found?.ok, `a record that nobody has changed is ok, not ${JSON.stringify(found)}`);
  return found;
}

/** The promises of `verify`. A sink without it keeps them all. */
export const verifyClauses: readonly AuditSinkClause[] = [
  clause(
    'verify, if there is one, looks at everything that is on record, and accuses nothing',
    async (sink) => {
      if (sink.verify === undefined) return;
      const none = await whole(sink);
      expectSame(
        [none.count, none.isComplete, none.upTo ?? null],
        [0, true, null],
        'what is said of no record',
      );
      const events = [
        ...sampleEvents(0, 300),
        sampleEvent(300, { workspaceId: 'v' }),
        sampleEvent(301, { workspaceId: 'v' }),
        sampleEvent(302, { workspaceId: undefined }),
      ];
      await sink.append(events);
      const all = await whole(sink);
      expectSame([all.count, all.isComplete], [events.length, true], 'what is said of 303 records');
      const isEnd = (await sink.heads()).some(
        ({ seq, hash }) => seq === all.upTo?.seq && hash === all.upTo.hash,
      );
      expectThat(isEnd, 'it has come to the end of a chain');
      const ofV = await whole(sink, { workspaceId: 'v' });
      expectThat(
        ofV.isComplete && ofV.count >= 2,
        `both records of a workspace are looked at, not ${ofV.count}`,
      );
    },
  ),

  clause('verify goes on behind the record that an earlier check had come to', async (sink) => {
    if (sink.verify === undefined) return;
    await sink.append([...sampleEvents(0, 120), sampleEvent(120, { workspaceId: 'v' })]);
    const counts: number[] = [];
    for (let after: VerificationRequest['after']; ; ) {
      const found = await whole(sink, { forMs: 1, ...(after && { after }) });
      counts.push(found.count);
      if (found.isComplete) break;
      expectThat(found.count > 0, 'a check that was not the last has looked at a record');
      after = found.upTo;
    }
    const sum = counts.reduce((total, count) => total + count, 0);
    expectSame(sum, 121, 'the number of records that all checks together have looked at');
  }),
];
