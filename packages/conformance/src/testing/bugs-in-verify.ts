import type { Bug } from './audit-sink-parts.ts';

/** For every clause about `verify` at least one bug that it must find. */
export const bugsInVerify: Record<string, Record<string, Bug>> = {
  'verify, if there is one, looks at everything that is on record, and accuses nothing': {
    'accuses the first record': () => ({
      verify: async () => ({
        ok: false,
        at: { partition: 'workspace', seq: 0 },
        fault: 'hash',
        count: 0,
        isAnchored: false,
      }),
    }),
    'looks at the first 100 only': (sound) => ({
      verify: async (request) => ({ ...(await sound.verify(request)), count: 100 }),
    }),
    'never ends': (sound) => ({
      verify: async (request) => ({ ...(await sound.verify(request)), ok: true, isComplete: false }),
    }),
    'says that it came further than it did': (sound) => ({
      async verify(request) {
        const found = await sound.verify(request);
        return found.upTo === undefined ? found : { ...found, upTo: { ...found.upTo, seq: 1_000 } };
      },
    }),
    'knows no workspace': (sound) => ({
      verify: ({ workspaceId, ...request }) =>
        sound.verify(workspaceId === undefined ? request : { workspaceId: 'none such' }),
    }),
  },
  'verify goes on behind the record that an earlier check had come to': {
    'begins anew every time, and says that it is over': (sound) => ({
      verify: async ({ forMs, after, ...request }) => {
        const found = await sound.verify(request);
        return { ...found, ok: true, isComplete: after !== undefined };
      },
    }),
    'looks at the last record again': (sound) => ({
      async verify(request) {
        const found = await sound.verify(request);
        return { ...found, count: found.count + (request.after === undefined ? 0 : 1) };
      },
    }),
    'leaves a record out': (sound) => ({
      verify: ({ after, ...request }) =>
        sound.verify(after === undefined ? request : { ...request, after: { ...after, seq: after.seq + 1 } }),
    }),
  },
};
