import { iso, type OrderReport } from '@agent-killswitch/core';

const steps = ['placed', 'requested', 'signalled', 'forced', 'unconfirmed', 'confirmed', 'settled'] as const;
type Step = (typeof steps)[number];

/** Something that was done to an order or to one of its agents. */
export interface OrderStep {
  /** Names it: the same on every host and after a restart, and begins with `at`. */
  readonly id: string;
  readonly step: Step;
  readonly at: number;
  readonly data: object;
}

/** All steps of an order so far, in the order of their times. */
export function stepsOf(report: OrderReport): OrderStep[] {
  const told: OrderStep[] = [];
  const tell = (step: Step, at: number | undefined, data: object, agentId = ''): void => {
    if (at === undefined) return;
    told.push({ id: `${at}.${steps.indexOf(step)}.${agentId}`, step, at, data });
  };
  const { requestedAt, settledAt } = report;
  tell('placed', requestedAt, placedData(report));
  for (const outcome of report.outcomes) {
    const { agentId, taskId, workspaceId, evidence } = outcome;
    const tellOf = (step: Step, at: number | undefined, more: object = {}): void => {
      if (at === undefined) return;
      tell(step, at, { agentId, taskId, workspaceId, at: iso(at), ...more }, agentId);
    };
    tellOf('requested', outcome.requestedAt, { statusBefore: outcome.statusBefore });
    tellOf('signalled', outcome.signalledAt);
    tellOf('forced', outcome.forcedAt);
    tellOf('unconfirmed', outcome.unconfirmedAt, outcome.outcome === 'confirmed' ? {} : { evidence });
    tellOf('confirmed', outcome.confirmedAt, { evidence });
  }
  if (settledAt !== undefined) tell('settled', settledAt, settledData(report, settledAt));
  return told.sort((a, b) => a.at - b.at || steps.indexOf(a.step) - steps.indexOf(b.step));
}

function placedData({ orderId, scope, reason, stored, requestedAt, deadlineAt }: OrderReport): object {
  return { orderId, scope, reason, stored, at: iso(requestedAt), deadlineAt: iso(deadlineAt) };
}

function settledData({ total, killed, failed, errors }: OrderReport, settledAt: number): object {
  return { at: iso(settledAt), total, killed, failed, errors };
}
