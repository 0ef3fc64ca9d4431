import { type AuditRecord, chainFault, isKillswitchError } from '@agent-killswitch/core';
import type { Round } from '../round.ts';
import type { Check } from './check.ts';
import { Told } from './told.ts';

/** I4: every chain is whole, and an id always tells the same fact. */
export const chainsAreWhole: Check = ({ sinks }) => {
  const broken: string[] = [];
  const facts = new Map<string, string>();
  for (const sink of sinks) {
    const last = new Map<string, AuditRecord>();
    for (const record of sink.records()) {
      const fault = chainFault(last.get(record.partition), record.partition, record);
      if (fault !== undefined) broken.push(`I4: record ${record.seq} has a fault: ${fault}`);
      last.set(record.partition, record);
      const { event } = record;
      const fact = `${event.type} ${'orderId' in event ? event.orderId : ''}`;
      const known = facts.get(event.id) ?? fact;
      facts.set(event.id, fact);
      const same = 'agentId' in event ? known.split(' ')[0] === event.type : known === fact;
      if (!same) broken.push(`I4: ${event.id} is the id of ${known} and of ${fact}`);
    }
  }
  return broken;
};

/** I4: every order that was placed is on record as requested once and as settled once. */
export const ordersAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const record = new Told(round);
  for (const orderId of round.history.orders.keys()) {
    for (const type of ['order.requested', 'order.settled'] as const) {
      const times = record.count(type, 'orderId', orderId);
      if (times !== 1) broken.push(`I4: ${type} of ${orderId} is on record ${times} times`);
    }
  }
  return broken;
};

/** I4: what the end of an order says on record is so: everybody who was claimed for it, and all of them dead. */
export const settlementsAddUp: Check = (round) => {
  const broken: string[] = [];
  const members = new Map<string, number>();
  for (const agentId of round.history.versions.keys()) {
    const agent = round.history.agent(agentId);
    for (const orderId of agent !== undefined && 'kill' in agent ? agent.kill.orderIds : [])
      if (!cameLate(round, agentId, orderId)) members.set(orderId, (members.get(orderId) ?? 0) + 1);
  }
  for (const sink of round.sinks) {
    const requested = new Set<string>();
    for (const event of sink.events()) {
      if (event.type === 'order.requested') requested.add(event.orderId);
      if (event.type !== 'order.settled') continue;
      const { orderId, total, killed } = event;
      const claimed = members.get(orderId) ?? 0;
      if (total !== claimed || killed !== claimed)
        broken.push(`I4: ${orderId} has settled with ${killed} of ${total} dead, and has claimed ${claimed}`);
      if (!requested.has(orderId))
        broken.push(`I4: ${orderId} has settled on record before it was requested`);
    }
  }
  return broken;
};

/**
 * Whether somebody was asked in before the order was placed, and let in after it had settled: the host that asked, which followed
 * the order and then could not read it, cannot know that, and claims whom it knows of (I6).
 */
function cameLate({ history }: Round, agentId: string, orderId: string): boolean {
  const order = history.orders.get(orderId);
  const settled = order?.versions.find((version) => version.order.settledAt !== undefined);
  const admission = history.admissions.get(agentId);
  if (order === undefined || settled === undefined || admission === undefined) return false;
  const asked = history.admits.find((call) => call.agentId === agentId);
  return asked !== undefined && asked.seq < order.seq && admission.seq > settled.seq;
}

/** I4, I7: every caller who was answered is on record once, and as having joined if the stop was under way already. */
export const callersAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const record = new Told(round);
  for (const { reason, answer, life } of round.history.stops) {
    const times = record.count('order.requested', 'reason', reason, record.told);
    const least = answer?.report === undefined ? 0 : 1;
    if (times < least || times > 1) broken.push(`I4: ${reason} is on record as requested ${times} times`);
    if (answer?.report === undefined || life.isDead) continue;
    const joined = record.count('order.joined', 'reason', reason);
    // Who joined on a host without the store, and found that one over when the store was back, has an order of their own.
    const isOwn = [...round.history.orders.keys()].some((id) => round.history.order(id)?.reason === reason);
    if (isOwn ? joined > 0 && !(joined === 1 && wasPutBack(round, record, reason)) : joined !== 1)
      broken.push(`I7: ${reason} is on record as joining ${joined} times`);
  }
  return broken;
};

/**
 * Whether a host that started has found the order on record as requested and not as joined yet, while the host that was asked could
 * not be heard. Of two copies the one that says stopped wins (decision 015): its caller is on record as requesting and as
 * joining, once each, and has an order of their own. Either that other host has stored it, while the sink of the one that was asked
 * was out; or it had it join an open one, since the lease of the one that was asked had run out, which has stored it later,
 * for whom it had claimed meanwhile.
 */
function wasPutBack({ history }: Round, record: Told, reason: string): boolean {
  const joined = [...record.durable.values()].find(
    (event) => event.type === 'order.joined' && event.reason === reason,
  );
  const own = [...history.orders.values()].find(({ versions }) => versions[0]?.order.reason === reason);
  const since = history.durable.get(joined?.id ?? '');
  const asked = own?.versions[0]?.order.hostId;
  if (own === undefined || joined === undefined || since === undefined) return false;
  if (own.life.hostId === asked)
    return (
      joined.hostId !== asked &&
      own.seq > since.seq &&
      history.readings.some(({ life, seq }) => life.hostId === joined.hostId && seq < since.seq)
    );
  const read = history.readings.findLast(({ life, seq }) => life === own.life && seq < own.seq);
  return read !== undefined && read.seq < since.seq;
}

/** I4: every denial that somebody was told of is on record once, with the reason they gave. */
export const denialsAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const record = new Told(round);
  for (const { reason, answer } of [...round.history.stops, ...round.history.releases]) {
    if (answer === undefined) continue;
    const times = record.count('request.denied', 'reason', reason, record.told);
    const isForbidden = isKillswitchError(answer.error, 'forbidden');
    const most = isForbidden || isKillswitchError(answer.error, 'unknown-target') ? 1 : 0;
    if (times > most || (isForbidden && times === 0))
      broken.push(`I4: the denial of ${reason} is on record ${times} times`);
  }
  return broken;
};

/** I4: every release that opened a gate, as somebody was told, is on record once; every gate that opened was asked for on record before. */
export const releasesAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const record = new Told(round);
  for (const { reason, answer } of round.history.releases) {
    const opened = record.count('gate.released', 'reason', reason, record.told);
    if ((answer?.opened ?? 0) > 0 ? opened !== 1 : opened > (answer?.opened === 0 ? 0 : 1))
      broken.push(`I4: the release by ${reason} is on record ${opened} times`);
  }
  for (const { orderIds, askedBy } of round.history.openings)
    if (askedBy.length === 0) broken.push(`I4: the gates of ${orderIds} opened before that was on record`);
  return broken;
};

/** I4: the end of every cleanup step in an agent's ledger is on record once; failing again is no other end, nor is what a crash cut off and had done again. */
export const cleanupsAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const { durable } = new Told(round);
  for (const agentId of round.history.versions.keys()) {
    const agent = round.history.agent(agentId);
    for (const { step, status } of agent?.ledger ?? []) {
      if (status === 'pending') continue;
      const told = [...durable.values()].filter(
        (event) =>
          event.type === 'cleanup.finished' &&
          event.agentId === agentId &&
          event.step === step &&
          event.status === status,
      );
      if (told.length !== 1) broken.push(`I4: ${step} of ${agentId} is on record ${told.length} times`);
    }
  }
  return broken;
};
