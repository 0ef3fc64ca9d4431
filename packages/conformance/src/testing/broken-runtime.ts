import type { Handle, Observation, Runtime, RuntimeContext } from '@agent-killswitch/core';
import type { RuntimeFactory } from '../runtime-clause.ts';

interface World {
  /** Whether each agent, by its number, lives. */
  readonly living: Map<number, boolean>;
  readonly numbers: Map<string, number>;
  /** The handles of all victims. */
  readonly given: Set<Handle>;
}
/** What a broken runtime does differently from a sound one in the same world. */
export type Bug = (sound: Required<Runtime>, world: World) => Partial<Runtime>;

const numberOf = (handle: Handle): number => {
  if (Number.isSafeInteger(handle.number)) return handle.number as number;
  throw new Error('not a handle');
};

function soundRuntime({ living, numbers }: World): Required<Runtime> {
  const kill = async (handle: Handle, { signal }: RuntimeContext): Promise<void> => {
    const number = numberOf(handle);
    signal.throwIfAborted();
    living.set(number, false);
  };
  return {
    reach: 'machine',
    canForce: true,
    stop: kill,
    kill,
    force: kill,
    async inspect(handle, { signal }): Promise<Observation> {
      if (!Number.isSafeInteger(handle.number)) return { state: 'unknown', evidence: 'not a handle' };
      if (signal.aborted) return { state: 'unknown', evidence: 'no time left' };
      const alive = living.get(numberOf(handle));
      return { state: alive ? 'alive' : 'dead', evidence: `agent ${handle.number}` };
    },
    async locate(agentId) {
      const number = numbers.get(agentId);
      return number !== undefined && living.get(number) ? [{ runtime: 'fake', number }] : [];
    },
  };
}

export function factoryOf(bug: Bug = () => ({})): RuntimeFactory {
  const world: World = { living: new Map(), numbers: new Map(), given: new Set() };
  const open = async (broken: Bug): Promise<Runtime> => {
    const sound = soundRuntime(world);
    return { ...sound, ...broken(sound, world) };
  };
  return {
    open: () => open(bug),
    openSecond: () => open(bug),
    malformedHandles: [
      { runtime: 'fake' },
      { runtime: 'fake', number: 'one' },
      { runtime: 'fake', number: NaN },
    ],
    async startVictim(agentId) {
      const number = world.living.size + 1;
      world.living.set(number, true);
      world.numbers.set(agentId, number);
      const handle = { runtime: 'fake', number };
      world.given.add(handle);
      return { handle, isAlive: async () => world.living.get(number) === true };
    },
  };
}

const idle = async (): Promise<void> => {};
const killsAll: Bug = (_, { living }) => ({
  kill: async () => {
    for (const number of living.keys()) living.set(number, false);
  },
});
const saying =
  (change: (seen: Observation) => Observation): Bug =>
  ({ inspect }) => ({ inspect: async (handle, context) => change(await inspect(handle, context)) });
const throwsAtOnce: Bug = () => ({
  kill() {
    throw new Error('at once');
  },
});

/** For every clause at least one bug that it must find. */
export const runtimeBugs: Record<string, Record<string, Bug>> = {
  'kill ends a living agent, and inspect sees it dead (I3)': {
    'takes the absence of an error for death': () => ({
      kill: idle,
      inspect: async () => ({ state: 'dead', evidence: 'no error' }),
    }),
    'rejects what worked': ({ kill }) => ({
      kill: async (handle, context) => {
        await kill(handle, context);
        throw new Error('worked');
      },
    }),
    throwsAtOnce,
  },
  'force ends a living agent, and inspect sees it dead (I3)': {
    'calls it dead while it lives': () => ({
      force: idle,
      inspect: async () => ({ state: 'dead', evidence: 'forced' }),
    }),
    'rejects force': () => ({ force: async () => Promise.reject(new Error('cannot force')) }),
  },
  'kill touches no other agent (I11)': { 'kills all': killsAll },
  'force touches no other agent (I11)': {
    'forces all': (sound, world) => ({ force: killsAll(sound, world).kill ?? sound.force }),
  },
  'kill and force are idempotent: again and at once is fine': {
    'knows no agent twice': ({ kill }, { living }) => ({
      async kill(handle, context) {
        await Promise.resolve();
        if (!living.get(numberOf(handle))) throw new Error('dead already');
        await kill(handle, context);
      },
    }),
  },
  'kill and force of an agent that is dead already are fine': {
    'rejects force of the dead': ({ force }, { living }) => ({
      async force(handle, context) {
        if (!living.get(numberOf(handle))) throw new Error('dead already');
        await force(handle, context);
      },
    }),
    'raises the dead': ({ kill }, { living }) => ({
      async kill(handle, context) {
        if (living.get(numberOf(handle))) await kill(handle, context);
        else living.set(numberOf(handle), true);
      },
    }),
  },
  'many agents killed at once all die': {
    'refuses a second kill meanwhile': ({ kill }) => {
      let busy = false;
      return {
        async kill(handle, context) {
          if (busy) throw new Error('busy');
          busy = true;
          await Promise.resolve();
          await kill(handle, context);
          busy = false;
        },
      };
    },
  },
  'a handle works after a trip through JSON, as a store makes it': {
    'knows only the very objects it gave out': ({ inspect }, { given }) => ({
      inspect: async (handle, context) =>
        given.has(handle) ? inspect(handle, context) : { state: 'unknown', evidence: 'not mine' },
    }),
  },
  'a call whose time is up settles at once and harms nothing': {
    'calls it dead without looking': ({ inspect }) => ({
      inspect: async (handle, context) =>
        context.signal.aborted ? { state: 'dead', evidence: 'late' } : inspect(handle, context),
    }),
    throws: ({ kill }) => ({
      kill(handle, context) {
        context.signal.throwIfAborted();
        return kill(handle, context);
      },
    }),
    'never kills again': ({ kill }) => {
      let broken = false;
      return {
        async kill(handle, context) {
          broken ||= context.signal.aborted;
          if (broken) throw new Error('broken');
          await kill(handle, context);
        },
      };
    },
  },
  'what reaches beyond its host kills an agent that another host started (I6)': {
    'takes for dead what it did not start': saying(() => ({ state: 'dead', evidence: 'not mine' })),
    'cannot kill what it did not start': () => ({ kill: async () => Promise.reject(new Error('not mine')) }),
  },
  'inspect sees a living agent alive, and does it no harm': {
    'sees it dead': saying(() => ({ state: 'dead', evidence: 'so it seems' })),
    'never knows': saying(() => ({ state: 'unknown', evidence: 'who knows' })),
    'kills by looking': ({ inspect, kill }) => ({
      async inspect(handle, context) {
        const seen = await inspect(handle, context);
        await kill(handle, context);
        return seen;
      },
    }),
  },
  'evidence is one line of words, for the living and for the dead (I4)': {
    'says nothing': saying((seen) => ({ ...seen, evidence: ' ' })),
    'says nothing of the dead': saying((seen) => (seen.state === 'dead' ? { ...seen, evidence: '' } : seen)),
    'says two lines': saying((seen) => ({ ...seen, evidence: 'one\ntwo' })),
  },
  'a malformed handle is refused by kill and force, and neither alive nor dead to inspect (I3)': {
    'accepts any handle': ({ kill }) => ({
      kill: async (handle, context) => kill({ ...handle, number: 0 }, context),
    }),
    'takes what it cannot read for dead': saying((seen) =>
      seen.state === 'unknown' ? { ...seen, state: 'dead' } : seen,
    ),
    'kills all for want of a number': (sound, world) => ({
      async kill(handle, context) {
        if (Number.isSafeInteger(handle.number)) return sound.kill(handle, context);
        await killsAll(sound, world).kill?.(handle, context);
        throw new Error('not a handle');
      },
    }),
  },
  'locate, where offered, finds a living agent by handles that can kill it': {
    'finds nothing': () => ({ locate: async () => [] }),
    'finds what never was': () => ({ locate: async () => [{ runtime: 'fake', number: 999 }] }),
    'finds the dead': (_, { numbers }) => ({
      locate: async (agentId) => [{ runtime: 'fake', number: numbers.get(agentId) ?? -1 }],
    }),
  },
  'locate, where offered, finds nothing of an unknown agent (I11)': {
    'finds everything': (_, { living }) => ({
      locate: async () => [...living.keys()].map((number) => ({ runtime: 'fake', number })),
    }),
  },
  'reach and canForce say what the runtime can do': {
    'reaches nowhere': () => ({ reach: 'moon' }) as unknown as Partial<Runtime>,
    'does not say': () => ({ canForce: undefined }) as unknown as Partial<Runtime>,
  },
};
