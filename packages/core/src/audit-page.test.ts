import { expect, it } from 'vitest';
import type { AuditRecord } from './audit-chain.ts';
import { auditPage } from './audit-page.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import type { AuditQuery } from './ports/audit-sink.ts';
import { everyEvent } from './testing/every-event.ts';

async function pagesOf(query: AuditQuery, limit: number) {
  const sink = memoryAudit();
  await sink.append(everyEvent);
  const pages: (readonly AuditRecord[])[] = [];
  let after: AuditQuery['after'];
  do {
    const page = await auditPage(sink, { ...query, ...(after && { after }) }, limit);
    pages.push(page.records);
    after = page.next;
  } while (after !== undefined);
  return { all: sink.records(), pages };
}

it('pages hold every record once, in order, and the last one says so', async () => {
  for (const limit of [1, 2, 3, everyEvent.length, 100]) {
    const { all, pages } = await pagesOf({}, limit);
    expect(pages.flat()).toEqual(all);
    expect(pages).toHaveLength(Math.ceil(all.length / limit));
  }
});

it('a page is of the query', async () => {
  const { all, pages } = await pagesOf({ types: ['agent.killed'] }, 1);
  expect(pages.flat()).toEqual(all.filter(({ event }) => event.type === 'agent.killed'));
});

it('a page ends before it becomes too long, and has one record at least', async () => {
  const sink = memoryAudit();
  const [event] = everyEvent;
  if (event === undefined) throw new Error('no event');
  const long = Array.from({ length: 4 }, (_, n) => ({
    ...event,
    id: `${n}`,
    policyVersion: 'x'.repeat(3e6),
  }));
  await sink.append(long);
  const { records, next } = await auditPage(sink, {}, 10);
  expect(records.map(({ seq }) => seq)).toEqual([0]);
  expect(next).toMatchObject({ seq: 0 });
});

it.each([0, -1, 1.5, Number.NaN, 10_001])('refuses %s as a limit', async (limit) => {
  await expect(auditPage(memoryAudit(), {}, limit)).rejects.toMatchObject({ code: 'invalid-input' });
});
