import type { Agent, CleanupStep } from '@agent-killswitch/core';
import type { CleanupStepFactory } from '../cleanup-step.ts';

/** What a broken step does differently from a sound one; `things` is the outside world, by agent. */
export type StepBug = (sound: CleanupStep, things: Set<string>) => Partial<CleanupStep>;

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

/** Per clause a step that breaks it, and no other. */
export const stepBugs: Readonly<Record<string, StepBug>> = {
  'it has a name, and limits that make sense': () => ({ limits: { tries: 0 } }),
  'run removes what the agent left (REQUIREMENTS B4)': () => ({ appliesTo: () => false }),
  'run after success succeeds again (idempotent)': (_, things) => {
    const done = new Map<string, number>();
    return {
      async run({ agentId }) {
        const runs = (done.get(agentId) ?? 0) + 1;
        done.set(agentId, runs);
        if (runs > 3) throw new Error(`${agentId} is gone already`);
        things.delete(agentId);
      },
    };
  },
  'two runs at once leave nothing behind that one more does not remove': (_, things) => {
    let running = 0;
    let isStuck = false;
    return {
      async run({ agentId }) {
        running += 1;
        isStuck ||= running > 1;
        await turn();
        running -= 1;
        if (isStuck) throw new Error('the lock of the other run is still there');
        things.delete(agentId);
      },
    };
  },
  'appliesTo is synchronous, answers any agent, and does nothing': () => ({
    appliesTo: (agent) => typeof (agent.resources[0] as unknown as { path: string }).path === 'string',
  }),
  'run settles soon when its signal has been aborted, and the next one cleans up': (sound) => ({
    async run(agent, context) {
      if (context.signal.aborted) await new Promise(() => undefined);
      await sound.run(agent, context);
    },
  }),
  'run settles soon when its signal is aborted on the way': (sound) => ({
    async run(agent, context) {
      if (context.signal.aborted) return;
      await turn();
      if (context.signal.aborted) await new Promise(() => undefined);
      await sound.run(agent, context);
    },
  }),
  'run touches nothing of another agent, however alike the ids are': (sound, things) => ({
    async run(agent, context) {
      await sound.run(agent, context);
      for (const thing of things) if (thing.startsWith(`${agent.agentId}.`)) things.delete(thing);
    },
  }),
};

export function stepFactory(bug: StepBug = () => ({})): CleanupStepFactory {
  const things = new Set<string>();
  const sound: CleanupStep = {
    name: 'things',
    appliesTo: (agent: Agent) => agent.resources.some(({ kind }) => kind === 'thing'),
    async run({ agentId }, { signal }) {
      await turn();
      signal.throwIfAborted();
      things.delete(agentId);
    },
  };
  const step = { ...sound, ...bug(sound, things) };
  return {
    open: async () => step,
    async leave({ agentId }) {
      things.add(agentId);
      return { resources: [{ kind: 'thing', path: agentId }], isGone: async () => !things.has(agentId) };
    },
  };
}
