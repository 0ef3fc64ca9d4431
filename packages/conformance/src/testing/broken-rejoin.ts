import {
  type Agent,
  type FoundState,
  isLive,
  KillswitchError,
  type StateStore,
} from '@agent-killswitch/core';
import { memoryState } from '@agent-killswitch/core/memory';
import { type Broken, type Bug, type Bugs, but } from './broken-state-store.ts';

class LostError extends KillswitchError {
  readonly code: string = 'state-lost';
}

class OtherError extends KillswitchError {
  readonly code = 'elsewhere';
}

/** What of a store that can be rejoined is done in another way than it should. */
interface Mistakes {
  readonly putBack?: (real: StateStore, agents: readonly Agent[]) => Promise<void>;
  readonly store?: (real: StateStore, back: readonly Agent[]) => Partial<StateStore>;
  /** What a call comes to while the state that the client knew is lost. */
  readonly lost?: (name: string) => void;
  readonly failed?: (error: unknown) => void;
  /** It goes on before everything is put back. */
  readonly isHasty?: boolean;
  /** One client that rejoins does it for all. */
  readonly isShared?: boolean;
  /** What putBack is given is another state than what goes on. */
  readonly isElsewhere?: boolean;
}

const lostError = () => {
  throw new LostError('The state is another one');
};

async function takeBack(real: StateStore, agents: readonly Agent[]): Promise<void> {
  for (const agent of agents) {
    await real.admit({ ...agent, revision: 0, status: 'spawning' } as Agent);
    for (let revision = 1; revision <= agent.revision; revision += 1)
      await real.swapAgents([{ ...agent, revision }]);
  }
}

/** Two clients of a state in memory that can be lost. */
export function rejoinable(mistakes: Mistakes = {}): Broken {
  const { putBack = takeBack, lost = lostError } = mistakes;
  let current = memoryState();
  const back: Agent[] = [];
  const states = { shared: current };
  const client = (): StateStore => {
    let own = current;
    const known = () => (mistakes.isShared ? states.shared : own);
    const know = () => {
      own = current;
      states.shared = current;
    };
    const guarded = new Proxy(but(current, {}), {
      get: (_, name: keyof StateStore) => {
        if (known() !== current) lost(name);
        const real = but(current, mistakes.store?.(current, back) ?? {});
        return real[name];
      },
    });
    const asked = (name: 'admit') => async (given: never) => guarded[name](given);
    const all = Object.fromEntries(
      Object.keys(but(current, {})).map((name) => [name, asked(name as 'admit')]),
    );
    const calls = all as unknown as StateStore;
    return {
      ...calls,
      listAgents: async (key, page) => guarded.listAgents(key, page),
      listOrder: async (orderId, page) => guarded.listOrder(orderId, page),
      watch: (changed) => current.watch(changed),
      rejoin: async (bring) => {
        const real = mistakes.isElsewhere ? memoryState() : current;
        const found: FoundState = {
          ...but(real, {}),
          putBackAgents: async (agents) => {
            back.push(...agents);
            await putBack(real, agents);
          },
        };
        if (mistakes.isHasty) know();
        try {
          await bring(found);
        } catch (error) {
          (mistakes.failed ?? fail)(error);
        }
        know();
      },
    };
  };
  const store = client();
  const second = client();
  return {
    store,
    second,
    lose: async () => {
      current = memoryState();
    },
  };
}

function fail(error: unknown): never {
  throw error;
}

const bug =
  (mistakes: Mistakes): Bug =>
  () =>
    rejoinable(mistakes);

const without = (ids: readonly string[]): Bug =>
  bug({
    putBack: (real, agents) =>
      takeBack(
        real,
        agents.filter(({ agentId }) => !ids.includes(agentId)),
      ),
  });

export const rejoinBugs: Bugs = {
  'a store that can be rejoined takes agents back over what is older, with their tasks and on their lists': [
    bug({ putBack: async () => {} }),
    without(['gone']),
    without(['older']),
    bug({
      store: (real, back) => ({
        getAgent: async (id) => back.find(({ agentId }) => agentId === id) ?? real.getAgent(id),
      }),
    }),
    bug({
      store: (real, back) => ({ getTask: async (id) => (back.length > 0 ? undefined : real.getTask(id)) }),
    }),
    bug({
      store: (real, back) => ({
        listAgents: async (key, page) => {
          const { items } = await real.listAgents(key, page);
          return { items: items.filter((agent) => !back.some(({ agentId }) => agentId === agent.agentId)) };
        },
      }),
    }),
    bug({
      store: (real) => ({
        listOrder: async (orderId, page) => {
          const { items } = await real.listOrder(orderId, page);
          return { items: items.filter((agent) => !isLive(agent)) };
        },
      }),
    }),
  ],
  'a store that can be rejoined passes on why nothing could be put back': [
    bug({ failed: () => {} }),
    bug({
      failed: () => {
        throw new Error('It did not work');
      },
    }),
  ],
  'a store that has lost its state answers nothing before putBack is through, and what that stored is there (I1, I9)':
    [
      bug({ lost: () => {} }),
      bug({ lost: (name) => (name === 'listGates' ? undefined : lostError()) }),
      bug({
        lost: () => {
          throw new OtherError('Something is wrong');
        },
      }),
      bug({ isHasty: true }),
      bug({ isShared: true }),
      bug({ isElsewhere: true }),
      bug({ failed: () => {} }),
      () => {
        const { store, second = store } = rejoinable();
        return { store, second };
      },
    ],
};
