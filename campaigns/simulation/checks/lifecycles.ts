import type { AgentStatus } from '@agent-killswitch/core';
import type { Check } from './check.ts';

/** Changes that the store missed are told to it within this time after it answers again. */
const untoldMs = 5_000;
const after: Record<AgentStatus, readonly AgentStatus[]> = {
  spawning: ['running', 'killing', 'completed', 'failed'],
  running: ['killing', 'completed', 'failed'],
  killing: ['killed'],
  killed: [],
  completed: [],
  failed: [],
};

/** I2: every agent goes its way once, step by step, and its first terminal state stays. */
export const oneTerminalState: Check = ({ history }) => {
  const broken: string[] = [];
  for (const [agentId, versions] of history.versions) {
    versions.forEach(({ agent, life }, i) => {
      const before = versions[i - 1]?.agent;
      if (before === undefined) return;
      if (agent.revision !== before.revision + 1)
        broken.push(`I2: ${life.name} stored ${agentId}@${agent.revision} over @${before.revision}`);
      if (agent.status !== before.status && !after[before.status].includes(agent.status))
        broken.push(`I2: ${life.name} made ${agentId} ${agent.status} when it was ${before.status}`);
    });
  }
  return broken;
};

/** I2: whoever is told that an end is on record finds it there, unless the store could not be told of it in time. */
export const endsAreAsTold: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { agentId, life, at, seq, answer } of history.ends) {
    if (life.wasDisturbed('store', at - untoldMs, answer.at)) continue;
    const versions = history.versions.get(agentId) ?? [];
    const status = versions.findLast((version) => version.seq < answer.seq)?.agent.status;
    const isEnded = status === 'completed' || status === 'failed';
    const wasEnded = versions.some((version) => version.seq < seq && version.agent.status === status);
    if (answer.isRecorded ? !isEnded : isEnded && !wasEnded)
      broken.push(
        `I2: ${life.name} says that ${agentId} has ended: ${answer.isRecorded}, and it is ${status}`,
      );
  }
  return broken;
};

/** I3: at the moment an agent became `killed`, or was said to have ended, it was dead, and it never ran after that. */
export const deathIsReal: Check = ({ history }) => {
  const broken: string[] = [];
  for (const [agentId, versions] of history.versions) {
    const ended = versions.find(({ agent }) => ['killed', 'completed', 'failed'].includes(agent.status));
    const body = history.bodies.get(agentId);
    // Who was given up and starts all the same is destroyed then: the record is true for what was said.
    if (ended === undefined || body === undefined || body.isLate) continue;
    const { status } = ended.agent;
    if (body.startedSeq > ended.seq) broken.push(`I3: ${agentId} is started after it was ${status}`);
    else if ((body.diedSeq ?? Number.POSITIVE_INFINITY) > ended.seq)
      broken.push(`I3: ${ended.life.name} calls ${agentId} ${status} while it lives`);
  }
  return broken;
};
