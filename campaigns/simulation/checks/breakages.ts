import { ForbiddenError, UnknownTargetError } from '@agent-killswitch/core';
import type { Round } from '../round.ts';
import { after, type Breakage, isThere, never } from './breaking.ts';
import type { CheckName } from './index.ts';
import { recordBreakages } from './record-breakages.ts';

const longMs = 1_000_000;

/** For every check what it must find: the check that says nothing about it judges nothing. */
export const breakages: Readonly<Record<CheckName, Breakage>> = {
  nobodyPassesAGate: (round) =>
    after(round, round.history.admissions.size > 0, () =>
      round.history.gates.push({
        orderId: 'x',
        scope: { everything: true },
        opens: 'on-release',
        shutSeq: -1,
      }),
    ),
  admissionComesFromTheStore: (round) => {
    const call = round.history.admits.find(
      ({ answer }) => answer !== undefined && answer.error === undefined,
    );
    return after(round, call, ({ life, agentId }) => life.admissionsHeard.delete(agentId));
  },
  unplacedGatesStandHere: (round) => {
    const { admits, orders, requested } = round.history;
    const call = admits.find(({ answer }) => answer !== undefined && answer.error === undefined);
    const order = [...orders.keys()].map((orderId) => round.history.order(orderId)).find(isThere);
    return after(round, call && order && { call, order }, ({ call: { life, at, seq }, order }) =>
      requested.push({
        life,
        at,
        seq: seq - 1,
        isUnplaced: true,
        order: { ...order, orderId: 'x', scope: { everything: true } },
      }),
    );
  },
  onlyGatesRefuse: (round) => {
    const call = round.history.admits.find(({ answer }) => answer?.error !== undefined);
    return after(round, call, (it) => {
      it.answer = { seq: it.seq, at: it.at, error: new ForbiddenError('no') };
    });
  },
  endsAreAsTold: (round) => {
    const { ends } = round.history;
    const at = ends.findIndex(({ answer }) => answer.isRecorded);
    return after(round, ends[at], (end) => {
      ends[at] = { ...end, answer: { ...end.answer, isRecorded: false } };
    });
  },
  oneTerminalState: (round) => {
    const versions = [...round.history.versions.values()].find((all) => isOver(all.at(-1)?.agent.status));
    return after(round, versions, (all) => {
      const last = all.at(-1);
      if (last === undefined) return;
      const { agent, ...rest } = last;
      all.push({
        ...rest,
        agent: { ...agent, revision: agent.revision + 1, status: 'running' } as typeof agent,
      });
    });
  },
  deathIsReal: (round) => {
    const body = [...round.history.bodies.values()].find(({ agentId }) =>
      isOver(round.history.agent(agentId)?.status),
    );
    return after(round, body, (it) => {
      it.diedSeq = never;
    });
  },
  everyRequestIsAnswered: (round) => {
    const call = round.history.stops.find(({ answer, life }) => answer !== undefined && !life.isDead);
    return after(round, call, (it) => {
      delete it.answer;
    });
  },
  onlyNamedRefusals: (round) => {
    const call = round.history.stops.find(({ answer }) => answer !== undefined);
    return after(round, call, (it) => {
      if (it.answer !== undefined) it.answer = { ...it.answer, error: new Error('no name') };
    });
  },
  releasesAreRefusedForACause: (round) => {
    const call = round.history.releases.find(
      ({ principal, answer }) => principal.id === 'root' && answer !== undefined,
    );
    return after(round, call?.answer && call, (it) => {
      it.answer = { seq: it.seq, at: it.at, error: new UnknownTargetError('agent', 'x') };
    });
  },
  blindnessHasACause: (round) => {
    for (const { life, waitMs, answer } of round.history.stops) {
      if (waitMs !== undefined) continue;
      if (answer?.report?.errors.some((error) => error.startsWith('Not every agent')) !== true) continue;
      life.disturbed.store.length = 0;
      return round;
    }
    return undefined;
  },
  reportsAreTrue: (round) => {
    for (const call of round.history.stops) {
      const { answer } = call;
      const dead = answer?.report?.outcomes.find(({ outcome }) => outcome === 'confirmed')?.agentId;
      if (answer === undefined || dead === undefined) continue;
      call.answer = { ...answer, alive: [...answer.alive, dead] };
      return round;
    }
    return undefined;
  },
  deathComesInTime: (round) => outliving(round),
  ownAgentsDieAnyway: (round) => outliving(round),
  ordersOnlyHarden: (round) => {
    const order = [...round.history.orders.values()][0];
    return after(round, order, ({ versions }) => {
      const last = versions.at(-1);
      if (last !== undefined)
        versions.push({ ...last, order: { ...last.order, deadlineAt: last.order.deadlineAt + 1 } });
    });
  },
  joiningHardens: (round) => {
    const { requested, stops } = round.history;
    let isAny = false;
    requested.forEach(({ order, ...rest }, i) => {
      const report = stops.find(({ reason }) => reason === order.reason)?.answer?.report;
      if (report === undefined || report.orderId === order.orderId || report.settled) return;
      requested[i] = { ...rest, order: { ...order, deadlineAt: order.requestedAt } };
      isAny = true;
    });
    return isAny ? round : undefined;
  },
  oneOrderAtATime: (round) => {
    const [orderId, placed] = [...round.history.orders][0] ?? [];
    return after(round, placed, (it) => {
      round.history.orders.set(`${orderId} again`, { ...it, seq: it.seq + 1 });
    });
  },
  everyStopIsGated: (round) =>
    after(
      round,
      round.history.stops.some(({ answer }) => answer?.report?.stored),
      () => round.history.gates.splice(0),
    ),
  authorityHolds: (round) => {
    const index = round.history.requested.findIndex(
      ({ order }) => round.history.order(order.orderId) === undefined,
    );
    const asked = round.history.requested[index];
    return after(round, asked, (it) => {
      const principal = { id: 'carl', kind: 'service' } as const;
      round.history.requested[index] = { ...it, order: { ...it.order, principal } };
    });
  },
  foreignLooksUnknown: (round) => {
    for (const call of round.history.stops)
      if (call.answer !== undefined)
        call.answer = { ...call.answer, error: new ForbiddenError('not this one') };
    return round;
  },
  openGatesStopNobody: (round) => {
    for (const gate of round.history.gates) {
      for (const [agentId, { seq }] of round.history.admissions) {
        const agent = round.history.agent(agentId);
        if (agent === undefined || !('kill' in agent) || !agent.kill.orderIds.includes(gate.orderId))
          continue;
        gate.openedSeq = seq - 1;
        return round;
      }
    }
    return undefined;
  },
  releasesArePeoples: (round) => {
    const { openings } = round.history;
    return after(round, openings[0], (it) => {
      openings[0] = { ...it, askedBy: ['bot'] };
    });
  },
  ...recordBreakages,
  everythingSettles: (round) => ({ ...round, unrest: ['something is under way'] }),
  nobodyIsLeftAlive: (round) => {
    const body = [...round.history.bodies.values()].find(({ agentId }) =>
      isOver(round.history.agent(agentId)?.status),
    );
    return after(round, body, (it) => {
      delete it.diedAt;
    });
  },
  survivorsAreNamed: (round) => {
    const living = [...round.history.admissions.keys()].filter((agentId) => {
      const agent = round.history.agent(agentId);
      return agent !== undefined && 'kill' in agent && agent.kill.unconfirmedAt === undefined;
    });
    const at = round.beforeMortality.at + longMs;
    return living.length === 0 ? undefined : { ...round, beforeMortality: { at, living, seq: never } };
  },
  nothingLingers: (round) => {
    const life = round.history.lives[0];
    return after(round, life, (it) => it.hanging.set('thread.kill a1', 9));
  },
};

/** Every body that died of something goes on for long after that. */
function outliving(round: Round): Round {
  for (const body of round.history.bodies.values()) if (body.diedAt !== undefined) body.diedAt += longMs;
  return round;
}

function isOver(status: string | undefined): boolean {
  return status === 'killed' || status === 'completed' || status === 'failed';
}
