import type { OrderReport } from '@agent-killswitch/core';
import type { StopCall } from '../history.ts';
import { inScope } from '../people.ts';
import type { Round } from '../round.ts';
import type { Check } from './check.ts';

/** What a stop may spend besides the wait for its order: deciding, placing, joining and reporting, each bounded. */
const besidesMs = 2_000;
const blind = 'Not every agent in scope could be looked at';
/** A look that failed is made again after this long at the most, and a store that hung is left alone before. */
const blindMs = 2_000;

/** I5, I8: every request on a host that stays up is answered in time, whatever hangs. */
export const everyRequestIsAnswered: Check = ({ history, world }) => {
  const broken: string[] = [];
  for (const { life, reason, at, graceMs, waitMs, answer } of history.stops) {
    const longest = (waitMs ?? graceMs + world.deadlines.confirmWithin) + besidesMs;
    if (answer === undefined && !life.isDead) broken.push(`I5: ${reason} is never answered by ${life.name}`);
    if (answer !== undefined && answer.at - at > longest)
      broken.push(`I5: ${reason} is answered after ${answer.at - at} ms`);
  }
  for (const { life, reason, answer } of history.releases)
    if (answer === undefined && !life.isDead) broken.push(`I5: ${reason} is never answered by ${life.name}`);
  return broken;
};

/**
 * I1: a report that says it could not look at everybody was kept from it: what is excused by that is excused for a cause. Who
 * joins an overdue stop and waits for less than the first look takes (`waitMs`) is told, truly, that it goes on.
 */
export const blindnessHasACause: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { reason, life, at, waitMs, answer } of history.stops) {
    const error = answer?.report?.errors.find((each) => each.startsWith(blind));
    if (answer === undefined || error === undefined) continue;
    if (error.endsWith('that goes on') && waitMs !== undefined && answer.at - at >= waitMs) continue;
    if (!life.wasDisturbed('store', at - blindMs, answer.at))
      broken.push(`I1: the answer to ${reason} is blind, and the store has shown ${life.name} everything`);
  }
  return broken;
};

/** I1, I3: what a report says is so: the confirmed are dead, and who lives is named or known to be unknown. */
export const reportsAreTrue: Check = (round) => {
  const broken: string[] = [];
  for (const call of round.history.stops) {
    const report = call.answer?.report;
    if (report === undefined) continue;
    const { reason } = call;
    for (const { agentId, outcome } of report.outcomes)
      if (outcome === 'confirmed' && !isLate(round, agentId) && call.answer?.alive.includes(agentId))
        broken.push(`I3: the answer to ${reason} calls ${agentId} dead`);
    if (report.total !== report.outcomes.length || report.total < report.killed + report.failed)
      broken.push(`the answer to ${reason} does not add up`);
    for (const agentId of livingInScope(round, call, report)) {
      const named = report.outcomes.find((each) => each.agentId === agentId);
      if (report.settled) broken.push(`I1: ${reason} is answered as settled while ${agentId} lives`);
      else if (isOverdue(call, report) && !isNamed(report, agentId, named?.outcome))
        broken.push(`I1: at its deadline the answer to ${reason} does not name ${agentId}, which lives`);
    }
  }
  return broken;
};

function isOverdue({ answer }: StopCall, report: OrderReport): boolean {
  return answer !== undefined && answer.at >= report.deadlineAt;
}

function isNamed(report: OrderReport, agentId: string, outcome: string | undefined): boolean {
  const says = (text: string): boolean => report.errors.some((error) => error.startsWith(text));
  return outcome === 'unconfirmed' || says(blind) || says(`Agent "${agentId}" is on record as `);
}

function isLate({ history }: Round, agentId: string): boolean {
  return history.bodies.get(agentId)?.isLate === true;
}

/** Who was in scope before the gate shut and alive at the answer. While the store is down only this host's own count. */
function livingInScope({ history }: Round, call: StopCall, report: OrderReport): string[] {
  const placed = history.orders.get(report.orderId);
  return (call.answer?.alive ?? []).filter((agentId) => {
    const admission = history.admissions.get(agentId);
    if (admission === undefined || !inScope(report.scope, admission.agent)) return false;
    const body = history.bodies.get(agentId);
    // Of what starts after its end was on record only the life knows that was told of it.
    if (body?.isLate === true)
      return body.lifeName === call.life.name && (body.knownSeq ?? Number.POSITIVE_INFINITY) < call.seq;
    return placed === undefined
      ? admission.life === call.life && admission.seq < call.seq
      : admission.seq < placed.seq;
  });
}
