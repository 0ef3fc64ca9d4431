import type { AuditQuery, AuditRecord } from '@agent-killswitch/core';
import { add, answering, type Bug, headsOf, newest } from './audit-sink-parts.ts';

const withoutFilter =
  (name: keyof AuditQuery): Bug =>
  (sound) => ({ read: ({ [name]: _, ...query }) => sound.read(query) });

/** For every clause about `read`, `heads` and `open` at least one bug that it must find. */
export const bugsInReads: Record<string, Record<string, Bug>> = {
  'read filters by order, workspace, task, principal, type and time': {
    'ignores orderId': withoutFilter('orderId'),
    'ignores workspaceId': withoutFilter('workspaceId'),
    'ignores types': withoutFilter('types'),
    'ignores taskId': withoutFilter('taskId'),
    'ignores principalId': withoutFilter('principalId'),
    'ignores from': withoutFilter('from'),
    'ignores until': withoutFilter('until'),
    'takes until as included': (sound) => ({
      read: ({ until, ...query }) => sound.read(until === undefined ? query : { ...query, until: until + 1 }),
    }),
    'knows the tasks of agents only': (sound) => ({
      async *read(query) {
        for await (const record of sound.read(query))
          if (query.taskId === undefined || 'taskId' in record.event) yield record;
      },
    }),
    'takes no types for all types': (sound) => ({
      read: ({ types, ...query }) => sound.read(types?.length ? { ...query, types } : query),
    }),
  },
  'read filters by chain, each record bearing its own seq': {
    'ignores partition': withoutFilter('partition'),
    'numbers what it found': answering((records, { partition }) =>
      partition === undefined ? records : records.map((record, n) => ({ ...record, seq: n + 1 })),
    ),
    'answers newest first': answering((records, { partition }) =>
      partition === undefined ? records : records.toReversed(),
    ),
  },
  'the reading order never changes, also when more is appended': {
    'orders by chain': answering((records) =>
      records.toSorted((a, b) => (a.partition === b.partition ? 0 : a.partition < b.partition ? -1 : 1)),
    ),
    'begins elsewhere every time': (sound) => {
      let turn = 0;
      return {
        async *read(query) {
          const found: AuditRecord[] = [];
          for await (const record of sound.read(query)) found.push(record);
          turn += 1;
          yield* found.slice(turn % found.length);
          yield* found.slice(0, turn % found.length);
        },
      };
    },
  },
  'read goes on after any record, in reading order, whatever else it filters': {
    'ignores after': withoutFilter('after'),
    'takes after as from': (sound, records) => ({
      async *read(query) {
        const { after } = query;
        if (after !== undefined)
          yield* records.filter(({ partition, seq }) => partition === after.partition && seq === after.seq);
        yield* sound.read(query);
      },
    }),
    'compares the seqs of different chains': answering((records, { after }) =>
      records.filter((record) => after === undefined || record.seq > after.seq),
    ),
    'forgets the other filters': (sound) => ({
      read: (query) => sound.read(query.after === undefined ? query : { after: query.after }),
    }),
  },
  'a place that is not on file is refused, not taken for a beginning or an end': {
    'takes it for the beginning': (sound, records) => ({
      read({ after, ...query }) {
        const isThere = records.some((r) => r.partition === after?.partition && r.seq === after.seq);
        return sound.read(isThere && after !== undefined ? { ...query, after } : query);
      },
    }),
    'refuses the future only': (sound, records) => ({
      async *read(query) {
        const { after } = query;
        if (after === undefined || after.seq > (newest(records, after.partition)?.seq ?? -1))
          yield* sound.read(query);
      },
    }),
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
          for await (const record of sound.read(query)) if (records.indexOf(record) < shown) yield record;
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
  'heads are the newest record of each chain, and none while there is none': {
    'has a head from the start': (_, records) => ({
      heads: async () =>
        records.length === 0 ? [{ partition: 'p', seq: -1, hash: '0'.repeat(64) }] : headsOf(records),
    }),
    'answers the oldest': (_, records) => ({ heads: async () => headsOf(records.toReversed()) }),
    'knows the newest chain only': (_, records) => ({ heads: async () => headsOf(records).slice(-1) }),
    'lists every record': (_, records) => ({
      heads: async () => records.map(({ partition, seq, hash }) => ({ partition, seq, hash })),
    }),
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
        heads: async () => headsOf([...records, ...later]),
      };
    },
  },
};
