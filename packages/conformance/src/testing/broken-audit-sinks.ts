import {
  type AuditEvent,
  type AuditQuery,
  type AuditRecord,
  type AuditSink,
  canonical,
  chain,
} from '@agent-killswitch/core';
import type { AuditSinkFactory } from '../audit-sink.ts';

interface Parts {
  append(events: readonly AuditEvent[]): Promise<void>;
  read(query: AuditQuery): AsyncIterable<AuditRecord>;
  head(): Promise<{ seq: number; hash: string } | undefined>;
  open(): Promise<void>;
}
/** What a broken sink does differently from a sound one, given the sound one and its records. */
export type Bug = (sound: Parts, records: AuditRecord[]) => Partial<Parts>;

const add = (records: AuditRecord[], events: readonly AuditEvent[]) => {
  for (const event of events) records.push(chain(records.at(-1), 'p', JSON.parse(canonical(event))));
};
const fresh = (records: AuditRecord[], events: readonly AuditEvent[]) =>
  events.filter((event) => !records.some((record) => record.event.id === event.id));

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
/** A sink that answers a reader with what `change` makes of the records on file. */
export const answering =
  (change: (records: AuditRecord[], query: AuditQuery) => AuditRecord[]): Bug =>
  (sound) => ({
    async *read(query) {
      const found: AuditRecord[] = [];
      for await (const record of sound.read(query)) found.push(record);
      yield* change(found, query);
    },
  });
const withoutFilter =
  (name: keyof AuditQuery): Bug =>
  (sound) => ({ read: ({ [name]: _, ...query }) => sound.read(query) });

/** For every clause at least one bug that it must find. */
export const bugs: Record<string, Record<string, Bug>> = {
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
  'records are chained from 0 without a gap, and each verifies': {
    'counts from 1': answering((records) => records.map((record) => ({ ...record, seq: record.seq + 1 }))),
    'spends a seq on a repeat': (sound, records) => {
      let gap = 0;
      const starts: number[] = [];
      return {
        async append(events) {
          gap += events.length - fresh(records, events).length;
          await sound.append(events);
          while (starts.length < records.length) starts.push(gap);
        },
        async *read(query) {
          for await (const record of sound.read(query)) {
            yield { ...record, seq: record.seq + (starts[record.seq] ?? 0) };
          }
        },
      };
    },
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
  'many appends, one right after the other, leave one unbroken chain (I4)': {
    'forgets the head every 50 records': (_, records) => ({
      async append(events) {
        for (const event of events) {
          records.push(chain(records.length === 50 ? undefined : records.at(-1), 'p', event));
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
  'read filters by order, by workspace and by what comes after': {
    'ignores orderId': withoutFilter('orderId'),
    'ignores workspaceId': withoutFilter('workspaceId'),
    'ignores after': withoutFilter('after'),
    'takes after as from': (sound) => ({
      read: ({ after, ...query }) => sound.read(after === undefined ? query : { ...query, after: after - 1 }),
    }),
    'takes after 0 as absent': (sound) => ({
      read: ({ after, ...query }) => sound.read(after ? { ...query, after } : query),
    }),
    'numbers what it found': answering((records) => records.map((record, seq) => ({ ...record, seq }))),
  },
  'read sees everything that was appended before the call': {
    'is one append late': (sound, records) => {
      let shown = 0;
      return {
        async append(events) {
          shown = records.length;
          await sound.append(events);
        },
        async *read(query) {
          for await (const record of sound.read(query)) if (record.seq < shown) yield record;
        },
      };
    },
  },
  'an append neither waits for a reader nor disturbs it (I5)': {
    'refuses while somebody reads': (sound) => {
      let readers = 0;
      return {
        append: (events) => (readers > 0 ? Promise.reject(new Error('locked')) : sound.append(events)),
        async *read(query) {
          readers += 1;
          try {
            yield* sound.read(query);
          } finally {
            readers -= 1;
          }
        },
      };
    },
    'ends the reading': (sound, records) => ({
      async *read(query) {
        const length = records.length;
        for await (const record of sound.read(query)) {
          if (records.length !== length) return;
          yield record;
        }
      },
    }),
  },
  'a reader that leaves early harms nobody': {
    'has ten readers at most': (sound) => {
      let left = 10;
      return {
        async *read(query) {
          if (left === 0) throw new Error('no reader left');
          left -= 1;
          yield* sound.read(query);
          left += 1;
        },
      };
    },
  },
  'head is the newest record, and undefined while there is none': {
    'has a head from the start': (sound) => ({
      head: async () => (await sound.head()) ?? { seq: -1, hash: '0'.repeat(64) },
    }),
    'answers the oldest': (_, records) => ({ head: async () => records[0] }),
  },
  'open, if there is one, can be called at any time, again and at once, and changes nothing': {
    'refuses a second open': () => {
      let isOpen = false;
      return {
        async open() {
          if (isOpen) throw new Error('it is open already');
          isOpen = true;
        },
      };
    },
    'starts anew': (_, records) => ({
      async open() {
        records.length = 0;
      },
    }),
    'appends a note of its own': (_, records) => ({
      async open() {
        const [first] = records;
        if (first !== undefined) add(records, [{ ...first.event, id: `opened-${records.length}` }]);
      },
    }),
  },
  'storage opened again continues its chain (I4)': {
    'starts anew': (_, records) => {
      const later: AuditRecord[] = [];
      return {
        append: async (events) => add(records.length === 5 ? later : records, events),
        async *read() {
          yield* records;
          yield* later;
        },
        head: async () => later.at(-1) ?? records.at(-1),
      };
    },
  },
};

/** A sink over an array, with a bug or sound. */
export function brokenFactory(bug: Bug = () => ({})): AuditSinkFactory {
  let sink: AuditSink;
  return {
    async open() {
      const records: AuditRecord[] = [];
      const sound = soundAudit(records);
      const parts = { ...sound, ...bug(sound, records) };
      sink = {
        append: (events) => parts.append(events),
        read: (query = {}) => parts.read(query),
        open: () => parts.open(),
        head: async () => {
          const last = await parts.head();
          return last && { seq: last.seq, hash: last.hash };
        },
      };
      return sink;
    },
    reopen: async () => sink,
  };
}

/** A sound sink over an array that a bug can reach. */
function soundAudit(records: AuditRecord[]) {
  return {
    async append(events: readonly AuditEvent[]) {
      const copy = records.slice();
      for (const event of events) add(copy, fresh(copy, [event]));
      records.splice(0, records.length, ...copy);
    },
    async *read(query: AuditQuery) {
      for (const record of records.slice()) {
        const { event, seq } = record;
        if (query.after !== undefined && seq <= query.after) continue;
        if (query.workspaceId !== undefined && event.workspaceId !== query.workspaceId) continue;
        if (query.orderId !== undefined && !('orderId' in event && event.orderId === query.orderId)) continue;
        yield record;
      }
    },
    head: async () => records.at(-1),
    async open() {},
  };
}
