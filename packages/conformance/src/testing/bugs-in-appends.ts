import { type AuditEvent, chain } from '@agent-killswitch/core';
import { add, answering, type Bug, chainOf, fresh } from './audit-sink-parts.ts';

/** A sink that stores what `change` makes of each event. */
const altering =
  (change: (event: AuditEvent) => AuditEvent): Bug =>
  (sound) => ({ append: (events) => sound.append(events.map(change)) });
const alteringText = (change: (text: string) => string): Bug =>
  altering((event) => {
    if (event.type === 'order.requested') return { ...event, reason: change(event.reason) };
    if (event.type === 'cleanup.finished') return { ...event, error: change(event.error ?? '') };
    return event;
  });
/** For every clause about `append` at least one bug that it must find. */
export const bugsInAppends: Record<string, Record<string, Bug>> = {
  'append keeps the order of events, within a batch and across batches (I4)': {
    'sorts a batch by id': (sound) => ({
      append: (events) => sound.append(events.toSorted((a, b) => (a.id < b.id ? -1 : 1))),
    }),
    'answers newest first': answering((records) => records.toReversed()),
  },
  'a batch of 1,000 events is kept whole and in order (I4)': {
    'stops at 999': (sound) => ({ append: (events) => sound.append(events.slice(0, 999)) }),
  },
  'a batch that cannot be written leaves nothing behind, and the next one is taken (I4)': {
    'writes event by event': (_, records) => ({
      async append(events) {
        for (const event of events) add(records, fresh(records, [event]));
      },
    }),
    'swallows the error': (sound) => ({ append: (events) => sound.append(events).catch(() => {}) }),
    'remembers ids before they are on file': (sound) => {
      const ids = new Set<string>();
      return {
        append(events) {
          const unseen = events.filter((event) => !ids.has(event.id));
          for (const event of unseen) ids.add(event.id);
          return sound.append(unseen);
        },
      };
    },
  },
  'an event id is on record once, however often it is appended (I4)': {
    'appends whatever comes': (_, records) => ({ append: async (events) => add(records, events) }),
    'drops a batch with a repeat': (sound, records) => ({
      append: async (events) => {
        if (fresh(records, events).length === events.length) await sound.append(events);
      },
    }),
  },
  'an event id that a batch holds twice is on record once (I4)': {
    'looks for repeats on file only': (_, records) => ({
      append: async (events) => add(records, fresh(records, events)),
    }),
  },
  'each chain runs from 0 without a gap, and each record verifies': {
    'counts from 1': answering((records) => records.map((record) => ({ ...record, seq: record.seq + 1 }))),
    'spends a seq on a repeat': (sound, records) => {
      let gap = 0;
      const starts = new Map<string, number>();
      return {
        async append(events) {
          gap += events.length - fresh(records, events).length;
          await sound.append(events);
          for (const { event } of records) if (!starts.has(event.id)) starts.set(event.id, gap);
        },
        async *read(query) {
          for await (const record of sound.read(query)) {
            yield { ...record, seq: record.seq + (starts.get(record.event.id) ?? 0) };
          }
        },
      };
    },
    'numbers its chains as one': answering((records) => records.map((record, seq) => ({ ...record, seq }))),
    'answers records of two chains': answering((records) =>
      records.map((record) => ({ ...record, partition: `${record.partition}${record.seq % 2}` })),
    ),
    'forgets to say which chain it is': answering((records) =>
      records.map((record) => ({ ...record, partition: undefined as unknown as string })),
    ),
    'answers hashes in upper case': answering((records) =>
      records.map((record) => ({ ...record, hash: record.hash.toUpperCase() })),
    ),
  },
  'many appends, one right after the other, leave unbroken chains (I4)': {
    'forgets the head every 50 records': (_, records) => ({
      async append(events) {
        for (const event of events) {
          records.push(chain(records.length === 50 ? undefined : records.at(-1), chainOf(event), event));
        }
      },
    }),
  },
  'an empty append is fine and changes nothing': {
    'rejects it': (sound) => ({
      append: (events) => (events.length === 0 ? Promise.reject(new Error('empty')) : sound.append(events)),
    }),
  },
  'odd text comes back equal: NUL, escapes, emoji, __proto__, 2,000 characters': {
    'cuts at NUL': alteringText((text) => text.split('\0')[0] ?? ''),
    'replaces lone surrogates': alteringText((text) => text.toWellFormed()),
    trims: alteringText((text) => text.trim()),
    'normalises Unicode': alteringText((text) => text.normalize('NFC')),
    'cuts at 1,999 characters': alteringText((text) => text.slice(0, 1_999)),
    'decodes escapes twice': alteringText((text) => text.replace(/\\n/g, '\n')),
  },
};
