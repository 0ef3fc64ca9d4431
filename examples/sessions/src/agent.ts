import { setTimeout as pause } from 'node:timers/promises';
import type { SessionTask } from '@agent-killswitch/sessions';

/** What our agents do: think for a second, over and over, and say how far they are. */
export function agent(goal: string, steps: number): SessionTask<string> {
  return async ({ signal, checkpoint }) => {
    for (let step = 1; step <= steps; step++) {
      // Rejects as soon as the session is told to end, which ends the task.
      await pause(1_000, undefined, { signal });
      await checkpoint({ goal, step, of: steps });
    }
    return `${goal}: done`;
  };
}

/** One that has lost its way: it never looks at its signal. */
export function stubbornAgent(): SessionTask<never> {
  return () => new Promise(() => undefined);
}
