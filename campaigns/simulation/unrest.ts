import type { LedgerEntry, StopOrder } from '@agent-killswitch/core';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** `butLiving`: what goes on about agents that live and are named as not confirmed dead is rest too. */
export interface RestOptions {
  readonly butLiving?: boolean;
}

/** How long after its deadline, and after the first host is up, an order has named whoever is not confirmed dead. */
const namedMs = 3_000;
/** How long a host that too many calls on a route have never come back to makes no more of them. */
const unansweredMs = 32_000;

/** Whether nothing is under way any more. Looked at only every ten milliseconds, for speed. */
export function isQuiet(world: World, options: RestOptions = {}): boolean {
  return world.timeline.now % 10 === 0 && unrest(world, options).next().done === true;
}

/** What is under way, one line each. */
export function* unrest(world: World, { butLiving = false }: RestOptions = {}): Generator<string> {
  const { history, up, hostIds, timeline } = world;
  for (const hostId of hostIds) if (up.get(hostId)?.isReady !== true) yield `${hostId} starts`;
  for (const { appends, name } of up.values())
    if (appends > 0) yield `${name} waits for ${appends} calls on its sink`;
  for (const { isUnplaced, life, order } of history.requested)
    if (isUnplaced && !life.isDead && !life.placementsHeard.has(order.orderId) && !hasJoined(world, order))
      yield `${life.name} does not know whether ${order.orderId} is placed`;
  for (const { answer, life, reason } of history.stops)
    if (answer === undefined && !life.isDead) yield `${reason} is not answered by ${life.name}`;
  for (const orderId of history.orders.keys()) {
    const order = history.order(orderId);
    if (order === undefined || order.settledAt !== undefined) continue;
    const dueAt = Math.max(order.deadlineAt, firstReadyAt([...up.values()]));
    if (!butLiving || timeline.now < dueAt + namedMs) yield `${orderId} is open`;
  }
  if (butLiving) return;
  for (const { isLate, agentId, diedAt, lifeName } of history.bodies.values()) {
    const life = [...up.values()].find(({ name }) => name === lifeName);
    if (!isLate || life === undefined) continue;
    const isHung = [...life.hanging.keys()].some((call) => call.endsWith(` ${agentId}`));
    const seenAt = diedAt === undefined ? Number.POSITIVE_INFINITY : diedAt + (isHung ? unansweredMs : 0);
    if (timeline.now < seenAt) yield `${agentId} is being destroyed`;
  }
  for (const agentId of history.versions.keys()) {
    const { status, ledger } = history.agent(agentId) ?? {};
    if (status === 'killing') yield `${agentId} is being killed`;
    const hasEnded = status !== 'spawning' && status !== 'running';
    if (hasEnded && ledger?.some((entry) => isToDo(entry, timeline.now)))
      yield `${agentId} is not cleaned up`;
  }
}

/** When the first of these had started, which a call that hung since before everything was well again may hold up. */
export function firstReadyAt(lives: readonly Life[]): number {
  return Math.min(...lives.map(({ readyAt }) => readyAt ?? Number.POSITIVE_INFINITY));
}

/** Whether it is on record that the order went under in another one that was asked for before, on this host or in the store. */
function hasJoined({ sinks }: World, { orderId }: StopOrder): boolean {
  for (const sink of sinks.values())
    if (sink.events().some((event) => event.type === 'order.joined' && event.orderId === orderId))
      return true;
  return false;
}

/** One of which three tries never come back has to wait for ten minutes. */
function isToDo({ status, retryAt }: LedgerEntry, now: number): boolean {
  return status === 'pending' || (status === 'failed' && (retryAt ?? 0) < now + 60_000);
}
