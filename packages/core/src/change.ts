import type { Agent } from './agent.ts';
import { InvalidTransitionError } from './errors.ts';
import { type Effect, type LifecycleEvent, transition } from './lifecycle.ts';

/** What a change led to: the agent as it is now, and what to do. `agent === before` if nothing changed. */
export interface Change {
  readonly before: Agent;
  readonly agent: Agent;
  readonly effects: readonly Effect[];
}

/** The change, or `undefined` if the event has no place in this copy, which may be out of date. */
export function attempt(before: Agent, event: LifecycleEvent): Change | undefined {
  try {
    const [agent, effects] = transition(before, event);
    return { before, agent, effects };
  } catch (error) {
    if (error instanceof InvalidTransitionError) return undefined;
    throw error;
  }
}
