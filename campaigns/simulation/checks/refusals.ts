import { isKillswitchError } from '@agent-killswitch/core';
import type { AdmitCall, History, StopCall } from '../history.ts';
import { inScope, mayRelease, mayStop, tasks } from '../people.ts';
import { type Check, restMs } from './check.ts';

/** How long a recorder pauses at the most after a sink that failed, and how long a batch that hangs is given. */
const sinkMs = 8_000;
/** How long after a call that went wrong a host asks again what became of an order that it has placed. */
const unheardMs = 2_000;
const ahead = 'the state store has not taken yet what became of';
const never = Number.POSITIVE_INFINITY;

/** I9, I10: who is refused an admission met a gate that stood meanwhile, a parent that was killed, or a store or record that failed. */
export const onlyGatesRefuse: Check = (round) => {
  const broken: string[] = [];
  for (const call of round.history.admits) {
    const { answer, agentId, life, at } = call;
    if (answer?.error === undefined) continue;
    const { error } = answer;
    const isRight =
      (isKillswitchError(error, 'gate-closed') && metAGate(round.history, call)) ||
      (isKillswitchError(error, 'parent-killed') && hasKilledParent(round.history, call)) ||
      (isKillswitchError(error, 'state-unavailable') && life.wasDisturbed('store', at - restMs, answer.at)) ||
      (isKillswitchError(error, 'audit-unavailable') && life.wasDisturbed('sink', at - sinkMs, answer.at)) ||
      (isKillswitchError(error, 'not-started') && life.isClosing);
    if (!isRight) broken.push(`I9: ${life.name} refuses ${agentId}, and nothing bars it: ${error}`);
  }
  return broken;
};

/** I6: nobody who may stop something that is there is refused, but for a narrow scope that the store cannot say anything of. */
export const onlyNamedRefusals: Check = (round) => {
  const broken: string[] = [];
  for (const call of round.history.stops) {
    const { reason, principal, answer } = call;
    const error = answer?.error;
    if (answer === undefined || error === undefined) continue;
    const code = (['forbidden', 'unknown-target', 'invalid-transition', 'state-unavailable'] as const).find(
      (each) => isKillswitchError(error, each),
    );
    if (code === undefined) broken.push(`${reason} fails without a name: ${error}`);
    else if (!mayBeRefused(round.history, call, code))
      broken.push(`I6: ${reason} of ${principal.id} is refused: ${error}`);
  }
  return broken;
};

/** I9: a release is refused for want of permission, of a record, of the store's word, or since somebody has stopped it again. */
export const releasesAreRefusedForACause: Check = ({ history }) => {
  const broken: string[] = [];
  for (const { reason, principal, scope, life, at, seq, answer } of history.releases) {
    const error = answer?.error;
    if (answer === undefined || error === undefined) continue;
    // The claims of a stop that stands on this host alone come first, and with them all that it is ahead with (decision 008).
    const isAhead = history.requested.some(
      (each) =>
        each.isUnplaced &&
        each.life === life &&
        each.seq < answer.seq &&
        (life.placementsHeard.get(each.order.orderId) ?? never) > seq,
    );
    const isUnplaced = history.requested.some(
      (each) =>
        each.isUnplaced &&
        each.life === life &&
        JSON.stringify(each.order.scope) === JSON.stringify(scope) &&
        ((life.placementsHeard.get(each.order.orderId) ?? never) > answer.seq ||
          life.wasDisturbed('store', at - unheardMs, at)),
    );
    const isRight =
      (isKillswitchError(error, 'forbidden') &&
        (!mayRelease(principal.id, scope) || life.wasDisturbed('authorizer', at, answer.at))) ||
      (isKillswitchError(error, 'audit-unavailable') && life.wasDisturbed('sink', at - sinkMs, answer.at)) ||
      (isKillswitchError(error, 'state-unavailable') &&
        (isUnplaced ||
          (isAhead && error.message.includes(ahead)) ||
          life.wasDisturbed('store', at - restMs, answer.at))) ||
      isKillswitchError(error, 'stopped-again');
    if (!isRight) broken.push(`I9: ${reason} of ${principal.id} is refused: ${error}`);
  }
  return broken;
};

function metAGate({ gates, requested }: History, { agent, life, seq, at, answer }: AdmitCall): boolean {
  const until = answer?.seq ?? never;
  return (
    gates.some(
      ({ scope, shutSeq, openedSeq = never }) => inScope(scope, agent) && shutSeq < until && openedSeq > seq,
    ) ||
    requested.some(
      (each) =>
        each.isUnplaced &&
        each.life === life &&
        inScope(each.order.scope, agent) &&
        each.seq < until &&
        // What the store said too late was not heard: the host asks again when it answers.
        ((life.placementsHeard.get(each.order.orderId) ?? never) > seq ||
          life.wasDisturbed('store', at - unheardMs, at)),
    )
  );
}

function hasKilledParent(history: History, { agent, answer }: AdmitCall): boolean {
  return agent.lineage.some((agentId) =>
    history.versions
      .get(agentId)
      ?.some((version) => version.seq < (answer?.seq ?? never) && 'kill' in version.agent),
  );
}

function mayBeRefused(history: History, call: StopCall, code: string): boolean {
  const { scope, principal, life, seq, at, answer } = call;
  const isNarrow = 'agent' in scope || 'task' in scope;
  const until = answer?.seq ?? never;
  const isCutOff = life.wasDisturbed('store', at - restMs, answer?.at ?? at);
  if (!isNarrow) {
    const workspaceId = 'workspace' in scope ? scope.workspace : undefined;
    return code === 'forbidden' && !mayStop(principal.id, scope, workspaceId);
  }
  if (code === 'state-unavailable') return isCutOff;
  const members = [...history.admissions.values()].filter((version) => inScope(scope, version.agent));
  const { workspaceId, ownerId } =
    'task' in scope
      ? (tasks.find(({ taskId }) => taskId === scope.task) ?? {})
      : (history.admissions.get(scope.agent)?.agent ?? {});
  const isEntitled = mayStop(principal.id, scope, workspaceId, ownerId);
  if (code === 'forbidden') return !isEntitled;
  // Who was let in since it was asked may have come after the look for who lives.
  const were = members.filter((version) => version.seq < seq);
  if (code === 'unknown-target') return !isEntitled || were.length === 0 || isCutOff;
  return (
    'agent' in scope && (isCutOff || !were.some((version) => lived(history, version.agent.agentId, until)))
  );
}

/** Whether the record of an agent was open all the time until then. */
function lived({ versions }: History, agentId: string, until: number): boolean {
  const then = versions.get(agentId)?.findLast(({ seq }) => seq < until)?.agent.status;
  return then === 'spawning' || then === 'running' || then === 'killing';
}
