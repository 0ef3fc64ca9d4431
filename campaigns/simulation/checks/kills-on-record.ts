import type { AuditEvent } from '@agent-killswitch/core';
import type { History } from '../history.ts';
import { type Check, restMs } from './check.ts';
import { Told } from './told.ts';

/**
 * I4: every killed agent is on record as killed once, and one that was named as not confirmed dead once as that. What the
 * store does not say is on record of no agent, unless a host saw it while it was cut off from the store: it kills and
 * tells without it (I6), and what the store holds by then is not overwritten (I2).
 */
export const killsAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const told = new Told(round);
  const { history } = round;
  for (const agentId of history.versions.keys()) {
    const agent = history.agent(agentId);
    const kill = agent !== undefined && 'kill' in agent ? agent.kill : undefined;
    for (const [type, isStored] of [
      ['agent.killed', agent?.status === 'killed'],
      ['agent.unconfirmed', kill?.unconfirmedAt !== undefined],
    ] as const) {
      const events = told.ofAgent(type, agentId);
      const isExcused = events.length === 1 && events.every((event) => wasCutOff(history, event));
      if (isStored ? events.length !== 1 : events.length > 0 && !isExcused)
        broken.push(`I4: ${agentId} is ${agent?.status} and ${events.length} times on record as ${type}`);
    }
  }
  return broken;
};

/** I3: whoever is on record as killed was dead by the time that the record gives, and had not been started after it. */
export const recordedDeathIsReal: Check = (round) => {
  const broken: string[] = [];
  const told = new Told(round);
  for (const [agentId, body] of round.history.bodies) {
    if (body.isLate) continue;
    for (const { confirmedAt, hostId } of told.ofAgent('agent.killed', agentId))
      if ((body.diedAt ?? Number.POSITIVE_INFINITY) > Date.parse(confirmedAt))
        broken.push(`I3: ${hostId} has on record that ${agentId} was dead at ${confirmedAt}, and it lived`);
  }
  return broken;
};

/** Whether the store failed the very life that recorded this before it did: it tries the store between seeing and telling. */
function wasCutOff({ lives }: History, { hostId, time }: AuditEvent): boolean {
  const at = Date.parse(time);
  return lives.some(
    (life) =>
      life.hostId === hostId &&
      life.bornAt <= at &&
      (life.diedAt ?? at) >= at &&
      life.wasDisturbed('store', life.bornAt, at + restMs),
  );
}
