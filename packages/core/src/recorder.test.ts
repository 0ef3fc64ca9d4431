import { describe, expect, it } from 'vitest';
import { type AuditEvent, auditEventSchema } from './audit-event.ts';
import { InvalidInputError } from './errors.ts';
import { eventRefused } from './event-refused.ts';
import { GuardedEvents } from './events.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { Recorder } from './recorder.ts';
import { countedTimers } from './testing/counted-timers.ts';
import { everyEvent } from './testing/every-event.ts';

function event(n: number): AuditEvent {
  return {
    id: String(n).padStart(26, '0'),
    version: 1,
    time: '2026-01-01T00:00:00.000Z',
    hostId: 'h',
    type: 'release.requested',
    releaseId: 'r',
    scope: { everything: true },
    principal: { id: 'p', kind: 'user' },
    reason: 'over',
    policyVersion: 'v',
    orderIds: [],
  };
}
function denial(n: number): AuditEvent {
  const {
    releaseId: _,
    orderIds: __,
    ...rest
  } = event(n) as Extract<AuditEvent, { type: 'release.requested' }>;
  return { ...rest, type: 'request.denied', action: 'kill', denial: 'no' };
}
const many = (count: number, from = 0): AuditEvent[] =>
  Array.from({ length: count }, (_, i) => event(from + i));

/** How many of these are taken. */
const taken = (each: readonly AuditEvent[], take: (one: AuditEvent) => boolean): number =>
  each.filter((one) => take(one)).length;
const manyDenials = (count: number, from = 0): AuditEvent[] =>
  Array.from({ length: count }, (_, i) => denial(from + i));

/** How long an append may take by the sink's own deadline, in milliseconds. */
const sinkMs = 30_000;

/** A recorder over a sink whose appends can be made to fail, to hang or to take their time. */
function setup() {
  const sink = memoryAudit();
  const { clock, pending } = countedTimers();
  const events = new GuardedEvents();
  const lines: string[] = [];
  const told: string[] = [];
  const reasons = new Set<string>();
  events.on('audit-degraded', ({ error }) => {
    told.push('degraded');
    reasons.add(error);
  });
  events.on('audit-restored', () => told.push('restored'));
  events.on('warning', ({ message }) => told.push(message));
  const mode = { fails: false, hangs: false, perEvent: 0, refused: new Set<string>() };
  const batches: number[] = [];
  const append = async (batch: readonly AuditEvent[]): Promise<void> => {
    if (mode.hangs) await new Promise(() => undefined);
    if (mode.fails) throw new Error('down');
    const takes = batch.length * mode.perEvent;
    if (takes > 0) await new Promise<void>((done) => void clock.setTimer(Math.min(takes, sinkMs), done));
    if (takes > sinkMs) {
      // It has stopped in the middle.
      await sink.append(batch.slice(0, sinkMs / mode.perEvent));
      throw new Error('too slow');
    }
    batches.push(batch.length);
    const index = batch.findIndex(({ id, type }) => mode.refused.has(id) || mode.refused.has(type));
    if (index >= 0) throw new InvalidInputError(`audit event ${index} of the batch`, ['longer than 9 bytes']);
    await sink.append(batch);
  };
  const recorder = new Recorder({ ...sink, append }, clock, events, (line) => lines.push(line));
  return { sink, clock, lines, told, reasons, mode, batches, recorder, timers: pending };
}

describe('Recorder', () => {
  it('delivers in order and says when it is durable', async () => {
    const { recorder, sink, lines, told, timers } = setup();
    for (const each of many(2_500)) recorder.record(each);
    recorder.record(event(2_500));
    expect(recorder.waiting).toBe(2_501);
    expect(await recorder.flush(100)).toBe(true);
    expect(sink.events()).toEqual(many(2_501));
    expect([recorder.waiting, recorder.degraded, lines, told, timers()]).toEqual([0, false, [], [], 0]);
  });

  it('bounds a flush while the sink hangs', async () => {
    const { recorder, clock, mode } = setup();
    mode.hangs = true;
    recorder.record(event(0));
    const flush = recorder.flush(100);
    await clock.advance(100);
    expect(await flush).toBe(false);
  });

  it('writes each event once to the last resort in an outage, and delivers all once after it', async () => {
    const { recorder, sink, clock, mode, lines, told, reasons } = setup();
    mode.fails = true;
    for (const each of many(3)) recorder.record(each);
    await clock.advance(1_000);
    for (const each of many(2, 3)) recorder.record(each);
    await clock.advance(10_000);
    expect(recorder.degraded).toBe(true);
    expect([...reasons]).toEqual(['Error: down']);
    expect(lines.map((line) => JSON.parse(line))).toEqual(many(5));
    mode.fails = false;
    await clock.advance(10_000);
    expect(sink.events()).toEqual(many(5));
    expect(recorder.degraded).toBe(false);
    expect(told.at(-1)).toBe('restored');
    expect(lines).toHaveLength(5);
  });

  it('I12: holds at most 10,000 events; the rest go to the last resort alone', async () => {
    const { recorder, sink, clock, mode, lines } = setup();
    mode.fails = true;
    for (let i = 0; i < 12_000; i++) recorder.record(event(i));
    await clock.advance(1_000);
    expect(lines).toHaveLength(12_000);
    mode.fails = false;
    await clock.advance(60_000);
    expect(sink.events()).toEqual(many(10_000));
  });

  it('I4: what goes to the last resort alone is an outage that is announced, and whoever gave it is told', async () => {
    const { recorder, sink, clock, mode, lines, told } = setup();
    mode.hangs = true;
    expect(taken(many(9_999), (each) => recorder.record(each))).toBe(9_999);
    expect([told, lines]).toEqual([[], []]);
    expect(recorder.record(event(9_999), event(10_000))).toBe(false);
    expect([told, recorder.degraded, recorder.waiting]).toEqual([['degraded'], true, 9_999]);
    expect(lines.map((line) => JSON.parse(line))).toEqual(many(10_001));
    expect(recorder.record(event(10_001))).toBe(true);
    expect(recorder.record(event(10_002))).toBe(false);
    expect(told).toEqual(['degraded']);
    expect(sink.events()).toEqual([]);
    await clock.advance(1_000);
    expect(lines.map((line) => JSON.parse(line))).toEqual(many(10_003));
  });

  it('I4: denials crowd out nothing: what is more than 4,000 of them is on the last resort alone, which is announced once', async () => {
    const { recorder, sink, clock, mode, lines, told } = setup();
    mode.fails = true;
    expect(taken(manyDenials(20_000), (each) => recorder.record(each))).toBe(4_000);
    expect([told, recorder.degraded, recorder.waiting, lines.length]).toEqual([
      ['degraded'],
      false,
      4_000,
      16_000,
    ]);
    expect(JSON.parse(lines[0] ?? '')).toEqual(denial(4_000));
    expect(taken(many(5_000, 20_000), (each) => recorder.offer(each))).toBe(5_000);
    expect(recorder.offer(event(30_000))).toBe(false);
    expect(taken(many(1_000, 25_000), (each) => recorder.record(each))).toBe(1_000);
    mode.fails = false;
    await clock.advance(1_000);
    expect([recorder.waiting, told.at(-1)]).toEqual([0, 'restored']);
    expect(sink.events().slice(4_000)).toEqual(many(6_000, 20_000));
    // There is room for as many again.
    mode.hangs = true;
    expect(taken(manyDenials(5_000, 30_000), (each) => recorder.record(each))).toBe(4_000);
    expect(told.at(-1)).toBe('degraded');
  });

  it('I4: denials find room beside what can be told again, and leave some to everything else', () => {
    const { recorder, mode } = setup();
    mode.hangs = true;
    while (recorder.offer(event(recorder.waiting)));
    while (recorder.record(denial(recorder.waiting)));
    expect(recorder.waiting).toBe(9_500);
    while (recorder.record(event(recorder.waiting)));
    expect(recorder.waiting).toBe(10_000);
  });

  it('I4: denials that the sink will never take leave room for others', async () => {
    const { recorder, clock, mode } = setup();
    mode.refused = new Set(['request.denied']);
    for (const each of manyDenials(20)) recorder.record(each);
    await clock.advance(0);
    expect(recorder.waiting).toBe(0);
    mode.hangs = true;
    expect(taken(manyDenials(5_000), (each) => recorder.record(each))).toBe(4_000);
  });

  it('calls it an outage when the sink has had a batch for a second', async () => {
    const { recorder, clock, mode, lines, told } = setup();
    mode.hangs = true;
    recorder.record(event(0));
    await clock.advance(999);
    expect([recorder.degraded, lines, told]).toEqual([false, [], []]);
    await clock.advance(1);
    expect([recorder.degraded, lines.length, told]).toEqual([true, 1, ['degraded']]);
    recorder.record(event(1));
    expect(lines).toHaveLength(2);
  });

  it('tells who can tell again that there is no room, and writes it down only in an outage', async () => {
    const { recorder, clock, mode, lines } = setup();
    mode.fails = true;
    expect(taken(many(9_000), (each) => recorder.offer(each))).toBe(9_000);
    expect(recorder.offer(event(9_000))).toBe(false);
    expect(lines).toEqual([]);
    await clock.advance(10);
    expect(lines).toHaveLength(9_000);
    expect(recorder.offer(event(9_001))).toBe(false);
    expect(recorder.record(event(9_002))).toBe(true);
    expect(lines.slice(9_000).map((line) => JSON.parse(line))).toEqual(many(2, 9_001));
  });

  it('ends each flush at its own time or when it is durable, and no other with it', async () => {
    const { recorder, clock, mode, lines } = setup();
    mode.fails = true;
    recorder.record(event(0));
    const results: string[] = [];
    void recorder.flush(50).then((isDurable) => results.push(`short ${isDurable}`));
    void recorder.flush(90_000).then((isDurable) => results.push(`long ${isDurable}`));
    await clock.advance(60);
    expect(results).toEqual(['short false']);
    mode.fails = false;
    await clock.advance(1_000);
    expect(results).toEqual(['short false', 'long true']);
    mode.hangs = true;
    await clock.advance(88_000);
    recorder.record(event(1));
    await clock.advance(998);
    expect(lines).toHaveLength(1);
  });

  it('I4: a sink too slow for a whole batch within its deadline takes fewer at a time, all once and in order', async () => {
    const { recorder, sink, clock, mode, batches, timers } = setup();
    mode.perEvent = 100;
    for (const each of many(2_500)) recorder.record(each);
    await clock.advance(2_500 * mode.perEvent * 3);
    expect([recorder.waiting, timers()]).toEqual([0, 0]);
    expect(sink.events()).toEqual(many(2_500));
    mode.perEvent = 0;
    batches.length = 0;
    for (const each of many(3_000, 2_500)) recorder.record(each);
    await clock.advance(0);
    expect(sink.events()).toEqual(many(5_500));
    expect(Math.max(...batches)).toBe(1_000);
  });

  it('I4: one so slow that it takes a single event within its deadline takes them one by one', async () => {
    const { recorder, sink, clock, mode } = setup();
    mode.perEvent = 25_000;
    for (const each of many(20)) recorder.record(each);
    await clock.advance(3_600_000);
    expect(sink.events()).toEqual(many(20));
  });

  it('I4: a sink that did not open while nothing waited takes what comes when it has', async () => {
    const { recorder, sink, clock, mode } = setup();
    mode.fails = true;
    recorder.distrust('not opened');
    await clock.advance(10_000);
    mode.fails = false;
    for (const each of many(3)) recorder.record(each);
    await clock.advance(10_000);
    expect(sink.events()).toEqual(many(3));
    expect(recorder.degraded).toBe(false);
  });

  it('has nothing left to do once it was stopped, and what waits on the last resort', async () => {
    const paused = setup();
    paused.mode.fails = true;
    paused.recorder.record(event(0));
    await paused.clock.advance(50);
    paused.recorder.stop();
    await paused.clock.advance(0);
    expect(paused.timers()).toBe(0);
    const hung = setup();
    hung.mode.hangs = true;
    hung.recorder.record(event(0));
    hung.recorder.stop();
    expect(hung.lines).toHaveLength(1);
    hung.recorder.record(event(1));
    expect(hung.lines).toHaveLength(2);
  });

  it('stops trying when told to, with what is left on the last resort', async () => {
    const { recorder, sink, clock, mode, lines } = setup();
    mode.fails = true;
    recorder.record(event(0));
    await clock.advance(50);
    recorder.stop();
    mode.fails = false;
    await clock.advance(60_000);
    expect(sink.events()).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  describe('an event that the sink will never take', () => {
    const wrong = new InvalidInputError('audit event 0 of the batch', ['longer than 9 bytes']);

    it('I4: gets a stand-in in its place, and is on the last resort; all others are there, in order, without a pause', async () => {
      const { sink, clock, lines, told, mode, recorder } = setup();
      mode.refused = new Set([event(0).id, event(613).id, event(1_199).id]);
      for (const each of many(1_200)) recorder.record(each);
      await clock.advance(0);
      expect(recorder.waiting).toBe(0);
      const expected = many(1_200).map((each) =>
        mode.refused.has(each.id) ? eventRefused(each, wrong, clock.now()) : each,
      );
      expect(sink.events()).toEqual(expected);
      expect(lines.map((line) => JSON.parse(line).id)).toEqual([...mode.refused]);
      expect(told.filter((message) => message.startsWith('The audit sink refuses event'))).toHaveLength(3);
      expect(told).not.toContain('degraded');
    });

    it('is found in few tries, and batches grow again', async () => {
      const { clock, mode, batches, recorder } = setup();
      mode.refused = new Set([event(700).id]);
      for (const each of many(4_000)) recorder.record(each);
      await clock.advance(0);
      expect(recorder.waiting).toBe(0);
      expect(batches.length).toBeLessThan(45);
      expect(Math.max(...batches.slice(-3))).toBeGreaterThan(400);
    });

    it('has the very same stand-in when it is told again', async () => {
      const { sink, clock, mode, recorder } = setup();
      mode.refused = new Set([event(1).id]);
      recorder.record(event(1));
      await clock.advance(50);
      recorder.record(event(1));
      await clock.advance(50);
      expect(sink.events()).toHaveLength(1);
      expect(sink.events()).toMatchObject([
        {
          type: 'audit.event-refused',
          refusedId: event(1).id,
          refusedType: 'release.requested',
          hostId: 'h',
        },
      ]);
    });

    it('is no outage: whoever waits for it to be durable goes on with its stand-in', async () => {
      const { clock, mode, recorder } = setup();
      mode.refused = new Set([event(1).id]);
      recorder.record(event(1));
      const flushed = recorder.flush(1_000);
      await clock.advance(0);
      expect(await flushed).toBe(true);
    });

    it('an outage is no refusal: nothing is replaced, whatever the error says', async () => {
      const { sink, clock, told, mode, recorder } = setup();
      mode.fails = true;
      recorder.record(event(1));
      await clock.advance(10_000);
      expect(told).toContain('degraded');
      mode.fails = false;
      await clock.advance(6_000);
      expect(sink.events()).toEqual([event(1)]);
    });

    it('a sink that refuses the stand-in too is out: nothing is lost, and it is tried again', async () => {
      const { sink, clock, told, mode, recorder } = setup();
      mode.refused = new Set(['release.requested', 'audit.event-refused']);
      for (const each of many(3)) recorder.record(each);
      await clock.advance(10_000);
      expect(told).toContain('degraded');
      expect(recorder.waiting).toBe(3);
      mode.refused = new Set();
      await clock.advance(6_000);
      expect(sink.events()).toMatchObject([{ type: 'audit.event-refused' }, event(1), event(2)]);
    });

    it('whatever is wrong with it, its stand-in is plain', () => {
      const poison = { ...event(1), id: '\u0000'.repeat(1_000), hostId: '/', time: 'never', workspaceId: {} };
      const standIn = eventRefused(poison as never, new Error('token=abc'), 0);
      expect(auditEventSchema.parse(standIn)).toEqual(standIn);
      expect(standIn).toMatchObject({ hostId: 'unknown', error: 'Error: token=…' });
      expect(standIn).not.toHaveProperty('workspaceId');
      const ofOrder = { ...everyEvent[0], orderId: 'o7', workspaceId: 'w7' } as AuditEvent;
      expect(eventRefused(ofOrder, wrong, 0)).toMatchObject({ orderId: 'o7', workspaceId: 'w7' });
    });
  });
});
