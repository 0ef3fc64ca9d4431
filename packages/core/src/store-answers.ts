import type { Agent } from './agent.ts';
import type { Page, Placement } from './ports/state-store.ts';

/**
 * What a state store answers is looked at before anybody relies on it: one that answers nonsense is treated like one that
 * does not answer (I6). Each throws a TypeError that says what is wrong.
 */
export function asPage(answer: Page<Agent>): Page<Agent> {
  const { items, cursor } = answer;
  if (!Array.isArray(items) || !items.every((agent) => typeof agent?.agentId === 'string'))
    throw new TypeError('the answer is no page of agents');
  return cursor === undefined ? { items } : { items, cursor };
}

/** One verdict for each of so many. */
export function asVerdicts(answer: readonly boolean[], count: number): readonly boolean[] {
  if (!Array.isArray(answer) || answer.length !== count)
    throw new TypeError(`the answer is not one verdict for each of ${count}`);
  return answer;
}

export function asPlacement(answer: Placement): Placement {
  if (answer.placed === true || (answer.placed === false && typeof answer.open?.orderId === 'string'))
    return answer;
  throw new TypeError('the answer is no placement');
}
