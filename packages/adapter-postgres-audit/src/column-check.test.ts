/** Whoever compares shapes has to find whatever somebody finds who parses every event. */
import { type AuditEvent, canonical } from '@agent-killswitch/core';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../campaigns/seeded-random.ts';
import { ColumnCheck } from './column-check.ts';
import { chainOf, columnsOf } from './columns.ts';
import { StoredRow } from './stored-row.ts';
import { copiedRow, type RowParts } from './testing/copied-row.ts';
import { plainEvents } from './testing/plain-events.ts';

const chain = 'w';

function partsOf(event: AuditEvent, text = canonical(event)): RowParts {
  return { columns: columnsOf(event), text, time: Date.parse(event.time), sessionIds: sessionsOf(event) };
}

function sessionsOf(event: AuditEvent): readonly string[] | null {
  return 'sessionIds' in event ? event.sessionIds : null;
}

/** What a check says that has seen many events already. */
function learnt(check: ColumnCheck, parts: RowParts): string | undefined {
  const row = new StoredRow();
  expect(row.read(copiedRow(parts))).toBe(true);
  return check.fault(row);
}

/** What somebody says who sees this row first, and so has to parse it. */
const parsed = (parts: RowParts): string | undefined => learnt(new ColumnCheck(chain), parts);

it('accuses no event as it was put on record, odd texts included', () => {
  const check = new ColumnCheck(chain);
  for (let round = 0; round < 3; round += 1)
    for (const event of plainEvents) {
      expect(chainOf(event)).toBe(chain);
      expect(learnt(check, partsOf(event)), event.type).toBeUndefined();
      const odd = { ...event, hostId: 'h', reason: 'a "quote", a \\ and \n, <3> 😀 ü' } as AuditEvent;
      if ('reason' in event) expect(learnt(check, partsOf(odd))).toBeUndefined();
    }
});

it('finds each change of a column, a text or the shape that parsing finds', () => {
  const random = new SeededRandom(7);
  const check = new ColumnCheck(chain);
  for (const event of plainEvents) learnt(check, partsOf(event));
  const changes = { column: 0, text: 0, none: 0 };
  for (let round = 0; round < 5_000; round += 1) {
    const event = random.pick(plainEvents);
    let parts = partsOf(event);
    const kind = random.pick(['column', 'text', 'both'] as const);
    if (kind !== 'text') {
      const names = Object.keys(parts.columns) as (keyof typeof parts.columns)[];
      const name = random.pick(names);
      const values = [
        null,
        '',
        'x',
        `${parts.columns[name]} `,
        parts.columns[random.pick(names)],
        '<1>',
        '<3>',
      ];
      parts = { ...parts, columns: { ...parts.columns, [name]: random.pick(values) } };
      if (random.chance(0.2)) parts = { ...parts, time: parts.time + random.pick([0.001, 1, -1_000]) };
      if (random.chance(0.2))
        parts = { ...parts, sessionIds: random.pick([null, [], ['s'], ['s', 's2'], ['t']]) };
    }
    if (kind !== 'column') parts = { ...parts, text: flip(parts.text, random) };
    const expected = parsed(parts);
    const found = learnt(check, parts);
    if (found !== expected)
      expect.fail(`round ${round}: ${found} instead of ${expected}: ${JSON.stringify(parts)}`);
    changes[expected === undefined ? 'none' : kind === 'column' ? 'column' : 'text'] += 1;
  }
  expect(Math.min(...Object.values(changes))).toBeGreaterThan(200);
}, 60_000);

it('an event whose type looks like a place among its texts is parsed each time', () => {
  const check = new ColumnCheck(chain);
  const event = { ...(plainEvents[0] as AuditEvent), type: '<3>' } as unknown as AuditEvent;
  for (let round = 0; round < 3; round += 1) expect(learnt(check, partsOf(event))).toBeUndefined();
  const parts = partsOf(event);
  // The texts are agentId, backendId, confirmedAt, evidence, …
  for (const type of ['pid 7 gone', 'o1', ''])
    expect(learnt(check, { ...parts, columns: { ...parts.columns, type } })).toBe('column');
});

it('a column that has an escape as JSON writes it is found', () => {
  const check = new ColumnCheck(chain);
  const event = (reason: string) => ({ ...(plainEvents[0] as AuditEvent), reason }) as AuditEvent;
  const parts = partsOf(event('a\nb'));
  for (const known of [event('plain'), event('a\nb')])
    for (let round = 0; round < 3; round += 1) expect(learnt(check, partsOf(known))).toBeUndefined();
  expect(learnt(check, { ...parts, columns: { ...parts.columns, reason: 'a\\nb' } })).toBe('column');
});

/** One piece of the text taken out, doubled, or put elsewhere; where it is no JSON any more, the next try. */
function flip(text: string, random: SeededRandom): string {
  for (;;) {
    const at = random.integer(0, text.length);
    const end = Math.min(text.length, at + random.integer(1, 30));
    const piece = text.slice(at, end);
    const changed = random.pick([
      text.slice(0, at) + text.slice(end),
      text.slice(0, end) + text.slice(at),
      text.slice(0, at) + random.pick(['x', '"', ',', '"a":"b",', '<2>', ' ', 'ü']) + text.slice(at),
      text.replaceAll(piece, ''),
    ]);
    try {
      JSON.parse(changed);
      return changed;
    } catch {
      // Postgres would not have taken it either.
    }
  }
}
