import { setTimeout as pause } from 'node:timers/promises';
import { promiseRuntime } from '@agent-killswitch/adapter-process';
import { describeError } from '@agent-killswitch/core';
import type { Behaviour } from './behaviours.ts';
import type { Launcher } from './launcher.ts';

type Work = (signal: AbortSignal) => Promise<unknown>;

const untilTold: Work = (signal) => pause(2 ** 31 - 1, undefined, { signal });

/** The demo agents that are promises: see `behaviours.ts`. */
const works: Readonly<Record<Behaviour, Work>> = {
  cooperative: untilTold,
  /** Nothing can end it but the end of the server. */
  stubborn: () => new Promise(() => undefined),
  forking: (signal) => Promise.all([untilTold(signal), untilTold(signal), untilTold(signal)]),
  finishing: (signal) => pause(1_000, undefined, { signal }),
  /** Heeds its signal only when it has done what it was at. */
  lingering: async (signal) => {
    await untilTold(signal).catch(() => undefined);
    await pause(2_000);
  },
};

/** Agents that are promises of the server, and end with it. */
export function promiseLauncher(): Launcher {
  const promises = promiseRuntime();
  return {
    runtime: promises,
    async launch({ agentId, behaviour }) {
      const { handle, ended } = promises.spawnAgent(({ signal }) => works[behaviour](signal), { agentId });
      const fault = ended.then((end) => (end.status === 'fulfilled' ? undefined : describeError(end.reason)));
      return { handle, ended: fault };
    },
  };
}
