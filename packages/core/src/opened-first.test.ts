import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { createKillswitch } from './create-killswitch.ts';
import { type ManualClock, manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryState } from './memory/memory-state.ts';
import { openedFirst } from './opened-first.ts';
import { everyEvent } from './testing/every-event.ts';
import { root } from './testing/harness.ts';

const [event] = everyEvent as readonly [AuditEvent, ...AuditEvent[]];

/** A sink that says what it is asked for, and opens when it is told to. */
function slow() {
  const asked: string[] = [];
  const memory = memoryAudit();
  let opens = 0;
  let answer: { open: () => void; refuse: (error: Error) => void } | undefined;
  const sink = openedFirst(
    {
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
    },
    manualClock(),
  );
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
  const sink = openedFirst(plain, manualClock());
  expect([sink.verify, sink.readUndelivered]).toEqual([undefined, undefined]);
  await sink.append([event]);
  expect(await all(sink.read())).toHaveLength(1);
});

it('I4: an opening or an append that never comes back is asked again, with growing patience', async () => {
  const never = () => new Promise<void>(() => undefined);
  const memory = memoryAudit();
  const hung = { open: 2, append: 0 };
  const asked: Array<[what: string, atMs: number]> = [];
  const clock = manualClock();
  const since = clock.now();
  const ask = (what: 'open' | 'append', work: () => Promise<void>) => {
    asked.push([what, clock.now() - since]);
    hung[what] -= 1;
    return hung[what] >= 0 ? never() : work();
  };
  const audit = {
    ...memory,
    open: () => ask('open', async () => undefined),
    append: (events: readonly AuditEvent[]) => ask('append', () => memory.append(events)),
  };
  const ks = createKillswitch({
    hostId: 'h',
    state: memoryState(),
    audit,
    runtimes: {},
    clock,
    lastResort: () => undefined,
  });
  const started = ks.start();
  await clock.advance(90_000);
  await started;
  expect(ks.unsaved().auditDegraded).toBe(true);
  await clock.advance(200_000);
  expect(ks.unsaved().auditDegraded).toBe(false);
  expect(asked.map(([what]) => what)).toEqual(['open', 'open', 'open']);

  asked.length = 0;
  hung.append = 2;
  const begun = clock.now() - since;
  const request = { principal: root, reason: 'drill' };
  expect(await during(clock, ks.kill({ workspace: 'w' }, { ...request, waitMs: 0 }))).toMatchObject({
    settled: false,
  });
  await clock.advance(200_000);
  expect(asked.slice(0, 3).map(([, at]) => at - begun)).toEqual([0, 60_100, 180_300]);
  expect(memory.events().map(({ type }) => type)).toEqual(['order.requested', 'order.settled']);
  expect(ks.unsaved()).toMatchObject({ auditDegraded: false, auditEvents: 0 });
  await ks.close();
});

async function during<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  await clock.advance(200);
  return work;
}
