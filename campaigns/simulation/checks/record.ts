import { type AuditEvent, type AuditRecord, chainFault, isKillswitchError } from '@agent-killswitch/core';
import type { Round } from '../round.ts';
import type { Check } from './check.ts';

/** Every event once: what repeats of the same fact on several sinks, and on the last resort of dead hosts, come to. */
class Record {
  readonly durable = new Map<string, AuditEvent>();
  /** With what only a dead host's last resort has. */
  readonly told: Map<string, AuditEvent>;

  constructor({ sinks, history }: Round) {
    for (const sink of sinks) for (const event of sink.events()) this.durable.set(event.id, event);
    this.told = new Map(this.durable);
    for (const { life, event } of history.lastResort)
      if (life.diedAt !== undefined && !this.told.has(event.id)) this.told.set(event.id, event);
  }

  count(type: AuditEvent['type'], key: string, value: string, from = this.durable): number {
    let found = 0;
    for (const event of from.values())
      if (event.type === type && (event as unknown as { [key: string]: unknown })[key] === value) found += 1;
    return found;
  }
}

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
  const record = new Record(round);
  for (const orderId of round.history.orders.keys()) {
    for (const type of ['order.requested', 'order.settled'] as const) {
      const times = record.count(type, 'orderId', orderId);
      if (times !== 1) broken.push(`I4: ${type} of ${orderId} is on record ${times} times`);
    }
  }
  return broken;
};

/** I4, I7: every caller who was answered is on record once, and as having joined if the stop was under way already. */
export const callersAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const record = new Record(round);
  for (const { reason, answer, life } of round.history.stops) {
    const times = record.count('order.requested', 'reason', reason, record.told);
    const least = answer?.report === undefined ? 0 : 1;
    if (times < least || times > 1) broken.push(`I4: ${reason} is on record as requested ${times} times`);
    if (answer?.report === undefined || life.isDead) continue;
    const joined = record.count('order.joined', 'reason', reason);
    const isOwn = round.history.order(answer.report.orderId)?.reason === reason;
    if (isOwn ? joined > 0 : joined !== 1)
      broken.push(`I7: ${reason} is on record as joining ${joined} times`);
  }
  return broken;
};

/** I4: every killed agent is on record as killed once, and one that was named as not confirmed dead once as that. */
export const killsAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const record = new Record(round);
  const { history } = round;
  for (const agentId of history.versions.keys()) {
    const agent = history.agent(agentId);
    const killed = record.count('agent.killed', 'agentId', agentId);
    const unconfirmed = record.count('agent.unconfirmed', 'agentId', agentId);
    const isKilled = agent?.status === 'killed';
    const wasNamed = agent !== undefined && 'kill' in agent && agent.kill.unconfirmedAt !== undefined;
    // What a host did or saw without the store, and could not tell it later, shows on the record alone.
    const mayBeLost = history.lives.some(
      (life) => life.diedAt !== undefined || life.disturbed.store.length > 0,
    );
    if (isKilled ? killed !== 1 : killed > (mayBeLost ? 1 : 0))
      broken.push(`I4: ${agentId} is ${agent?.status} and on record as killed ${killed} times`);
    if (wasNamed ? unconfirmed !== 1 : unconfirmed > 1)
      broken.push(`I4: ${agentId} is on record as unconfirmed ${unconfirmed} times`);
  }
  return broken;
};

/** I4: every denial that somebody was told of is on record once, with the reason they gave. */
export const denialsAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const record = new Record(round);
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
  const record = new Record(round);
  for (const { reason, answer } of round.history.releases) {
    const opened = record.count('gate.released', 'reason', reason, record.told);
    if ((answer?.opened ?? 0) > 0 ? opened !== 1 : opened > 1)
      broken.push(`I4: the release by ${reason} is on record ${opened} times`);
  }
  for (const { orderIds, askedBy } of round.history.openings)
    if (askedBy.length === 0) broken.push(`I4: the gates of ${orderIds} opened before that was on record`);
  return broken;
};

/** I4: the end of every cleanup step in an agent's ledger is on record once. */
export const cleanupsAreOnRecord: Check = (round) => {
  const broken: string[] = [];
  const { durable } = new Record(round);
  for (const agentId of round.history.versions.keys()) {
    const agent = round.history.agent(agentId);
    for (const { step, status, tries } of agent?.ledger ?? []) {
      if (status === 'pending') continue;
      const told = [...durable.values()].filter(
        (event) =>
          event.type === 'cleanup.finished' &&
          event.agentId === agentId &&
          event.step === step &&
          event.status === status &&
          event.tries === tries,
      );
      if (told.length !== 1) broken.push(`I4: ${step} of ${agentId} is on record ${told.length} times`);
    }
  }
  return broken;
};
