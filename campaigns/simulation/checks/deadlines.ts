import type { StopOrder } from '@agent-killswitch/core';
import { type Body, isMortal } from '../body.ts';
import type { History, Version } from '../history.ts';
import type { Life } from '../life.ts';
import { inScope } from '../people.ts';
import { type Check, restMs } from './check.ts';

/** How long a host may take to learn of an order without a hint. */
const followMs = 1_100;
/** From a rung's time to the death that it brings, when nothing goes wrong: a sweep, a call, a look. */
const rungMs = 700;
/** How long a host waits for a call on a route at the most. */
const callMs = 1_000;
/** So many calls of a kind that never came back on a route, and no more are made for a while. */
const mostUnanswered = 3;

const deadlines = ['killAt', 'forceAt', 'deadlineAt'] as const;

/**
 * I5: where nothing goes wrong for a host and an agent of its own, the agent dies at the rung that it yields to, whatever
 * the other agents, hosts and listeners do, and also after a restart of its host.
 */
export const deathComesInTime: Check = ({ history }) => {
  const broken: string[] = [];
  for (const [orderId, placed] of history.orders) {
    const order = placed.versions[0]?.order;
    if (order === undefined) continue;
    for (const { body, life } of targets(history, order, placed.seq)) {
      const from = Math.max(placed.at, life.readyAt ?? 0, body.knownAt ?? 0);
      const due = Math.max(rungOf(body, order), from + followMs) + rungMs;
      if (!isUndisturbed(body, life, placed.at, due) || isGone(body, from)) continue;
      if ((body.diedAt ?? Number.POSITIVE_INFINITY) > due)
        broken.push(
          `I5: ${body.agentId} outlives ${orderId} on ${life.name}, due ${due - placed.at} ms after it`,
        );
    }
  }
  return broken;
};

/** I6: whatever becomes of store and sink, the agents of the very host that was asked die by the deadline. */
export const ownAgentsDieAnyway: Check = ({ history, world }) => {
  const broken: string[] = [];
  for (const { order, life, seq, at } of history.requested) {
    if (life.readyAt === undefined || life.wasDisturbed('store', life.bornAt, life.readyAt)) continue;
    for (const { body, admission } of targets(history, order, seq)) {
      if (body.hostId !== life.hostId || body.knownAt === undefined || body.knownAt > at) continue;
      // What another life of the host was told, and could not store, this one cannot know.
      if (admission.life !== life && body.knownAt > life.bornAt) continue;
      const due = order.deadlineAt + world.deadlines.state + 300;
      if (!life.livedThrough(at, due) || hasTrouble(body, life, at, due) || isGone(body, at)) continue;
      if ((body.diedAt ?? Number.POSITIVE_INFINITY) > due)
        broken.push(`I6: ${body.agentId} outlives the deadline of ${order.orderId} on ${life.name}`);
    }
  }
  return broken;
};

/** I7: an order's deadlines never move away, and what it does is never softened. */
export const ordersOnlyHarden: Check = ({ history }) => {
  const broken: string[] = [];
  for (const [orderId, { versions }] of history.orders) {
    versions.forEach(({ order }, i) => {
      const before = versions[i - 1]?.order;
      if (before === undefined) return;
      for (const when of deadlines)
        if (order[when] > before[when]) broken.push(`I7: ${when} of ${orderId} moves away`);
      if (order.opens !== before.opens) broken.push(`I7: the gate of ${orderId} is softened`);
    });
  }
  for (const { orderId, opens, openedBy } of history.gates)
    if (openedBy !== undefined && openedBy !== (opens === 'at-settle' ? 'settle' : 'release'))
      broken.push(`I7: the gate of ${orderId} opens ${opens}, and was opened by ${openedBy}`);
  return broken;
};

/** I7: the same stop is under way once: whoever asks for it again joins it, until it has settled or is being released. */
export const oneOrderAtATime: Check = ({ history }) => {
  const broken: string[] = [];
  const last = new Map<string, { readonly orderId: string; readonly overSeq: number }>();
  for (const [orderId, { versions, seq }] of history.orders) {
    const order = versions[0]?.order;
    if (order === undefined) continue;
    const key = `${order.opens} ${JSON.stringify(order.scope)}`;
    const before = last.get(key);
    if (before !== undefined && before.overSeq > seq)
      broken.push(`I7: ${orderId} is placed beside ${before.orderId}, which is the same`);
    const over = versions.find(
      (each) => each.order.settledAt !== undefined || each.order.released !== undefined,
    );
    last.set(key, { orderId, overSeq: over?.seq ?? Number.POSITIVE_INFINITY });
  }
  return broken;
};

/** I1, I7: whoever was told that a stop holds had a gate of that very kind shut for it, also if they joined another. */
export const everyStopIsGated: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { order, life, isUnplaced } of history.requested) {
    const call = history.stops.find(({ reason }) => reason === order.reason);
    const { answer } = call ?? {};
    if (isUnplaced || call === undefined || answer?.report === undefined) continue;
    const isGated = history.gates.some(
      (gate) =>
        gate.opens === order.opens &&
        JSON.stringify(gate.scope) === JSON.stringify(order.scope) &&
        gate.shutSeq < answer.seq &&
        (gate.openedSeq ?? Number.POSITIVE_INFINITY) > call.seq,
    );
    if (!isGated) broken.push(`I1: ${order.reason} is answered by ${life.name} with no gate shut for it`);
  }
  return broken;
};

/** I7: whoever joins a stop under way gets, before they are answered, at least the hardness that they asked for. */
export const joiningHardens: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { order, life } of history.requested) {
    const call = history.stops.find(({ reason }) => reason === order.reason);
    const answer = call?.answer;
    const joinedId = answer?.report?.orderId;
    if (call === undefined || answer === undefined || joinedId === undefined || joinedId === order.orderId)
      continue;
    if (life.wasDisturbed('store', call.at - restMs, answer.at)) continue;
    const joined = history.orders.get(joinedId)?.versions.findLast(({ seq }) => seq < answer.seq)?.order;
    // One that settles meanwhile has nobody left to be hard on.
    if (joined === undefined || joined.settledAt !== undefined) continue;
    for (const when of deadlines)
      if (joined[when] > order[when])
        broken.push(`I7: ${order.orderId} joined ${joinedId} and did not bring its ${when} nearer`);
  }
  return broken;
};

/** Bodies that an order is aimed at, with the lives of their hosts. */
function* targets(
  { admissions, bodies, lives }: History,
  order: StopOrder,
  seq: number,
): Generator<{ readonly body: Body; readonly life: Life; readonly admission: Version }> {
  for (const [agentId, admission] of admissions) {
    const body = bodies.get(agentId);
    if (body === undefined || body.isLate || admission.seq > seq || !isMortal(body)) continue;
    if (!inScope(order.scope, admission.agent)) continue;
    for (const life of lives) if (life.hostId === body.hostId) yield { body, life, admission };
  }
}

function rungOf({ nature }: Body, { killAt, forceAt }: StopOrder): number {
  return nature === 'stubborn' ? forceAt : killAt;
}

function isGone({ diedAt }: Body, at: number): boolean {
  return diedAt !== undefined && diedAt <= at;
}

/**
 * Whether calls of this very life on the body went wrong in this time, or so long before that a host may still wait for
 * them; or so many have never come back before that it makes no more (I12). What other hosts meet is no excuse (I5).
 */
function hasTrouble({ troubles }: Body, life: Life, from: number, to: number): boolean {
  const hung = new Map<string, number>();
  for (const { at, call, isHung, ...trouble } of troubles) {
    if (trouble.life !== life || at > to) continue;
    if (at >= from - callMs) return true;
    if (isHung) hung.set(call, (hung.get(call) ?? 0) + 1);
  }
  return [...hung.values()].some((times) => times >= mostUnanswered);
}

function isUndisturbed(body: Body, life: Life, from: number, to: number): boolean {
  const { readyAt } = life;
  if (body.knownAt === undefined || readyAt === undefined || !life.livedThrough(readyAt, to)) return false;
  return !hasTrouble(body, life, from, to) && !life.wasDisturbed('store', from - restMs, to);
}
