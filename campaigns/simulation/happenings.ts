import { isKillswitchError } from '@agent-killswitch/core';
import type { Round } from './round.ts';

/** What DESIGN.md names and a round may have had in it: a simulation in which one of them never came about proves nothing of it. */
export const happenings = {
  'a child is killed with its parent': ({ history }) =>
    [...history.admissions.values()].some(({ agent }) => {
      const now = history.agent(agent.agentId);
      const orderIds = now !== undefined && 'kill' in now ? now.kill.orderIds : [];
      return orderIds.some((orderId) => {
        const scope = history.order(orderId)?.scope;
        return scope !== undefined && 'agent' in scope && agent.lineage.includes(scope.agent);
      });
    }),
  'a killed task is tried again': ({ history }) =>
    history.admits.some(
      ({ agent, seq, answer }) =>
        answer?.error !== undefined &&
        history.gates.some(
          ({ scope, opens, shutSeq }) =>
            opens === 'never' && 'task' in scope && scope.task === agent.taskId && shutSeq < seq,
        ),
    ),
  'a gate shuts while an admission is on its way': ({ history }) =>
    history.admits.some(
      ({ seq, answer }) =>
        isKillswitchError(answer?.error, 'gate-closed') &&
        history.gates.some(({ shutSeq }) => shutSeq > seq && shutSeq < (answer?.seq ?? 0)),
    ),
  'a handle comes after the claim': ({ history }) =>
    [...history.versions.values()].some((all) =>
      all.some(
        ({ agent }, i) =>
          agent.status === 'killing' &&
          agent.handles.length > 0 &&
          all[i - 1]?.agent.status === 'killing' &&
          all[i - 1]?.agent.handles.length === 0,
      ),
    ),
  'a handle comes after the end': ({ history }) =>
    [...history.bodies.values()].some(({ isLate, knownSeq }) => isLate && knownSeq !== undefined),
  'two people release': ({ history, world }) =>
    world.approvals > 1 && history.openings.some(({ askedBy }) => new Set(askedBy).size > 1),
  'a held kill is released': ({ history }) =>
    history.gates.some(
      ({ scope, opens, openedBy }) =>
        opens === 'on-release' && openedBy === 'release' && 'workspace' in scope,
    ),
  'an emergency stop is released': ({ history }) =>
    history.gates.some(({ scope, openedBy }) => openedBy === 'release' && 'everything' in scope),
  'a revoked backend is reinstated': ({ history }) =>
    history.gates.some(({ scope, openedBy }) => openedBy === 'release' && 'backend' in scope),
  'a stop comes while its release is on its way': ({ history }) =>
    history.releases.some(({ answer }) => isKillswitchError(answer?.error, 'stopped-again')),
  'a stop joins the one under way': ({ sinks }) =>
    sinks.some((sink) => sink.events().some(({ type }) => type === 'order.joined')),
  'a host goes on with an order of its earlier life': (round) =>
    settledByOthers(round, ([before, after]) => before !== after && hostOf(before) === hostOf(after)),
  'an order is taken over from a lost host': (round) =>
    settledByOthers(round, ([before, after]) => hostOf(before) !== hostOf(after)),
  'an order is placed when the store is back': ({ history }) =>
    history.requested.some(({ isUnplaced, order }) => isUnplaced && history.orders.has(order.orderId)),
  'a host that has lost its lease stops its own agents': ({ history }) =>
    history.requested.some(({ order }) => 'host' in order.scope),
  'somebody not confirmed dead is seen dead later': ({ history }) =>
    [...history.versions.keys()].some((agentId) => {
      const agent = history.agent(agentId);
      return agent?.status === 'killed' && agent.kill.unconfirmedAt !== undefined;
    }),
  'a completion loses against a kill': ({ history }) =>
    history.ends.some(
      ({ agentId, answer }) => !answer.isRecorded && 'kill' in (history.agent(agentId) ?? {}),
    ),
} satisfies Record<string, (round: Round) => boolean>;

export type Happening = keyof typeof happenings;

export function happeningsOf(round: Round): Happening[] {
  return (Object.keys(happenings) as Happening[]).filter((name) => happenings[name](round));
}

/** Whether the life that settled an order was another than the one that placed it, in the way asked for; by name. */
function settledByOthers(
  { history }: Round,
  isSo: (lives: readonly [placed: string, settled: string]) => boolean,
): boolean {
  return [...history.orders.values()].some(({ life, versions }) => {
    const settled = versions.find(({ order }) => order.settledAt !== undefined);
    return settled !== undefined && isSo([life.name, settled.life.name]);
  });
}

function hostOf(lifeName: string): string {
  return lifeName.split('#', 1)[0] ?? '';
}
