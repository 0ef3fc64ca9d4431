import type { Agent } from '@agent-killswitch/core';
import type { History } from './history.ts';
import type { World } from './world.ts';

const oldestMs = 3_000;

/** A version of the agent that a replica which lags behind could still hold, or the newest one. */
export function staleAgent({ history, timeline, random }: World, agent: Agent): Agent {
  const older = (history.versions.get(agent.agentId) ?? []).filter(
    (version, i, all) =>
      (all[i + 1]?.at ?? timeline.now) >= timeline.now - oldestMs && version.agent !== agent,
  );
  return older.length === 0 ? agent : random.pick(older).agent;
}

/** Whether the task was made so recently that a replica might not know it. */
export function isNewTask(history: History, taskId: string, now: number): boolean {
  for (const { agent, at } of history.admissions.values())
    if (agent.taskId === taskId && at < now - oldestMs) return false;
  return true;
}
