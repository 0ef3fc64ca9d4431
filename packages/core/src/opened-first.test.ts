import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { openedFirst } from './opened-first.ts';
import { everyEvent } from './testing/every-event.ts';

const [event] = everyEvent as readonly [AuditEvent, ...AuditEvent[]];

/** A sink that says what it is asked for, and opens when it is told to. */
function slow() {
  const asked: string[] = [];
  const memory = memoryAudit();
  let opens = 0;
  let answer: { open: () => void; refuse: (error: Error) => void } | undefined;
  const sink = openedFirst({
    open: () => {
      opens += 1;
      return new Promise<void>((open, refuse) => {
        answer = { open, refuse };
      });
    },
    append: async (events) => {
      asked.push('append');
      await memory.append(events);
    },
    read: (query) => {
      asked.push('read');
      return memory.read(query);
    },
    heads: async () => {
      asked.push('heads');
      return memory.heads();
    },
    readUndelivered: (query) => {
      asked.push('readUndelivered');
      return memory.read(query);
    },
    verify: async (request) => {
      asked.push('verify');
      return (memory.verify as NonNullable<typeof memory.verify>)(request);
    },
  });
  const tell = (): typeof answer => answer;
  return { sink, asked, tell, opens: () => opens };
}

async function all(records: AsyncIterable<unknown> | undefined): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const record of records ?? []) items.push(record);
  return items;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('asks nothing of a sink before it is open, and opens it once', async () => {
  const { sink, asked, tell, opens } = slow();
  const answers = [
    sink.append([event]),
    all(sink.read()),
    sink.heads(),
    all(sink.readUndelivered?.()),
    sink.verify?.(),
    sink.open(),
  ];
  await turn();
  expect(asked).toEqual([]);
  tell()?.open();
  const [, read, heads, undelivered, verified] = await Promise.all(answers);
  expect(asked.sort()).toEqual(['append', 'heads', 'read', 'readUndelivered', 'verify']);
  expect([read, heads, undelivered]).toEqual([[expect.anything()], [expect.anything()], [expect.anything()]]);
  expect(verified).toMatchObject({ ok: true });
  expect(opens()).toBe(1);
});

it('fails what waits for a sink that refuses to open, and opens it anew for the next', async () => {
  const { sink, asked, tell, opens } = slow();
  const append = sink.append([event]);
  await turn();
  tell()?.refuse(new Error('locked'));
  await expect(append).rejects.toThrow('locked');
  const again = sink.append([]);
  await turn();
  tell()?.open();
  await again;
  expect(opens()).toBe(2);
  expect(asked).toEqual([]);
});

it('lacks what the sink lacks', async () => {
  const { verify: _, ...plain } = memoryAudit();
  const sink = openedFirst(plain);
  expect([sink.verify, sink.readUndelivered]).toEqual([undefined, undefined]);
  await sink.append([event]);
  expect(await all(sink.read())).toHaveLength(1);
});
