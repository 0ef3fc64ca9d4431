import { isAlive } from '../body.ts';
import type { History } from '../history.ts';
import type { Life } from '../life.ts';
import { inScope } from '../people.ts';
import { firstReadyAt } from '../unrest.ts';
import type { Check } from './check.ts';

/** At rest a host has its rounds' timer and perhaps a call or two under way. */
const restingTimers = 6;
/**
 * One of a volley and three of the pursuit after it, on one route. A death that was seen and is not in the store, or of
 * which the store shows what is out of date, has to be seen again, by another pursuit: I12 wants a bound, not this number.
 */
const maxHanging = 4;
/** A host that could not start, and tries again, looks again at the agents of its earlier lives: so many of these looks hang. */
const maxReviewed = 3;
const hangingEveryMs = 30_000;
/** In one round of its hosts everybody learns that nobody is left to kill. */
const lingeringMs = 4_000;

/** Everything settles once nothing goes wrong any more: orders, kills, cleanups. */
export const everythingSettles: Check = ({ unrest }) =>
  unrest.length === 0 ? [] : [`I1: no rest: ${unrest.join('; ')}`];

/** I1, I9: at rest nobody lives whose record is closed, nor behind a gate that stood all the time since they came. */
export const nobodyIsLeftAlive: Check = ({ history }) => {
  const broken: string[] = [];
  for (const body of history.bodies.values()) {
    const agent = history.agent(body.agentId);
    const admission = history.admissions.get(body.agentId);
    if (!isAlive(body) || agent === undefined || admission === undefined) continue;
    // What started after its end was on record is known to the life that was told of it, and to no other.
    if (body.isLate && history.lives.some(({ name, isDead }) => name === body.lifeName && isDead)) continue;
    if (agent.status === 'killed' || agent.status === 'completed' || agent.status === 'failed')
      broken.push(`I3: ${body.agentId} is ${agent.status} and lives at the end`);
    for (const gate of history.gates)
      if (gate.shutSeq > admission.seq && inScope(gate.scope, admission.agent))
        broken.push(`I1: ${body.agentId} has outlived ${gate.orderId}`);
  }
  return broken;
};

/** I1: an agent that no call can end is named as not confirmed dead, in the store and so to everybody, by the first host that is up. */
export const survivorsAreNamed: Check = ({ history, beforeMortality, healedAt }) => {
  const broken: string[] = [];
  const isUp = ({ diedAt }: Life): boolean => diedAt === undefined || diedAt > beforeMortality.at;
  const since = Math.max(healedAt, firstReadyAt(history.lives.filter(isUp)));
  for (const agentId of beforeMortality.living) {
    if (history.bodies.get(agentId)?.isLate === true) continue;
    const admission = history.admissions.get(agentId);
    const then = history.versions.get(agentId)?.findLast(({ seq }) => seq < beforeMortality.seq)?.agent;
    for (const orderId of history.orders.keys()) {
      const order = history.order(orderId);
      const placed = history.orders.get(orderId);
      if (order === undefined || placed === undefined || admission === undefined) continue;
      // One that stood on record alone is put back by the next start of its host, which a listing of all gates that never
      // comes back holds up for half a minute: until then no other host knows of it.
      const overdueMs = beforeMortality.at - Math.max(order.deadlineAt, since, placed.at);
      if (placed.seq < admission.seq || overdueMs < 2_900 || !inScope(order.scope, admission.agent)) continue;
      const isNamed = then?.status === 'killing' && then.kill.unconfirmedAt !== undefined;
      if (!isNamed)
        broken.push(
          `I1: ${agentId} outlives the deadline of ${orderId} as ${then?.status}, and nobody says so`,
        );
    }
  }
  return broken;
};

/** I12: nothing goes on for what is over, and few calls hang on a route that never answers. */
export const nothingLingers: Check = ({ history, restAt, timersAtRest, timersAfterClose, world }) => {
  const broken: string[] = [];
  for (const { lastDemand, name } of history.lives)
    if (
      lastDemand !== undefined &&
      lastDemand.at > restAt + lingeringMs &&
      isOfAKill(history, lastDemand.what)
    )
      broken.push(`I12: ${name} still calls ${lastDemand.what} at rest`);
  for (const [{ name }, timers] of timersAtRest)
    if (timers > restingTimers) broken.push(`I12: ${name} has ${timers} timers at rest`);
  for (const [{ name }, timers] of timersAfterClose)
    if (timers > 0) broken.push(`I12: ${name} has ${timers} timers after its close`);
  for (const life of history.lives) {
    const livedMs = (life.diedAt ?? world.timeline.now) - life.bornAt;
    for (const [call, times] of life.hanging) {
      const signalled = life.signalled.get(call.split(' ')[1] ?? '') ?? 1;
      const reviewed = call.includes('.inspect ') ? Math.min(maxReviewed, life.failedStarts) : 0;
      const most = maxHanging * signalled + reviewed + Math.ceil(livedMs / hangingEveryMs);
      if (times > most) broken.push(`I12: ${times} calls hang on ${call} at ${life.name}`);
    }
  }
  return broken;
};

/** Whoever ends by itself at rest is looked at too, to see it dead. */
function isOfAKill(history: History, call: string): boolean {
  const [what = '', agentId = ''] = call.split(' ');
  const agent = history.agent(agentId);
  return !what.endsWith('.inspect') || (agent !== undefined && 'kill' in agent);
}
