import type { Life } from '../life.ts';
import { inScope } from '../people.ts';
import type { Check } from './check.ts';
import { Told } from './told.ts';

/** I1: nothing was admitted into a scope while a gate on it stood, as the store's own history tells. */
export const nobodyPassesAGate: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { agent, seq, life } of history.admissions.values()) {
    for (const gate of history.gates) {
      const stood = gate.shutSeq < seq && seq < (gate.openedSeq ?? Number.POSITIVE_INFINITY);
      if (stood && inScope(gate.scope, agent))
        broken.push(`I1: ${life.name} admitted ${agent.agentId} through the gate of ${gate.orderId}`);
    }
  }
  return broken;
};

/** I10: whoever was told that an agent is admitted had that from the store, and from nowhere else. */
export const admissionComesFromTheStore: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { agentId, life, seq, answer } of history.admits) {
    if (answer === undefined || answer.error !== undefined) continue;
    const admission = history.admissions.get(agentId);
    const isReal = admission !== undefined && admission.seq > seq && admission.seq < answer.seq;
    if (!isReal || !life.admissionsHeard.has(agentId))
      broken.push(`I10: ${life.name} let ${agentId} in without the store's word`);
  }
  for (const { agentId, startedSeq } of history.bodies.values()) {
    const admission = history.admissions.get(agentId);
    if (admission === undefined || admission.seq > startedSeq)
      broken.push(`I1: ${agentId} runs without an admission`);
  }
  return broken;
};

/** I1: while the store has not taken an order, its gate stands at least on the host that took the request. */
export const unplacedGatesStandHere: Check = (round) => {
  const broken: string[] = [];
  const { history } = round;
  // Who asks for the same in the meantime joins here, and has no place of its own in the store.
  const joined = new Map<string, string>();
  for (const event of new Told(round).told.values())
    if (event.type === 'order.joined') joined.set(event.orderId, event.joinedOrderId);
  const heardBy = (life: Life, orderId: string): number => {
    const heard = life.placementsHeard.get(orderId) ?? Number.POSITIVE_INFINITY;
    const other = joined.get(orderId);
    return other === undefined ? heard : Math.min(heard, heardBy(life, other));
  };
  for (const { order, life, seq, isUnplaced } of history.requested) {
    if (!isUnplaced) continue;
    const heard = heardBy(life, order.orderId);
    for (const call of history.admits) {
      const agent = history.admissions.get(call.agentId)?.agent;
      const { answer } = call;
      if (answer === undefined || answer.error !== undefined || agent === undefined || call.life !== life)
        continue;
      if (call.seq > seq && answer.seq < heard && inScope(order.scope, agent))
        broken.push(
          `I1: ${life.name} admitted ${agent.agentId} past ${order.orderId}, which it holds itself`,
        );
    }
  }
  return broken;
};
