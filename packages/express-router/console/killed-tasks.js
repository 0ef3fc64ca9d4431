import { ApiError, call } from './api.js';

/** So many wide stops are remembered. */
const mostStops = 200;
/** A task that is missing is looked up on the record this seldom, since that may be long. In milliseconds. */
const lookUpMs = 5_000;
const mostMissing = 5;

/**
 * @typedef {object} KilledTask
 * @property {string} taskId
 * @property {string} orderId
 * @property {string} by
 * @property {string} at RFC 3339
 * @property {string} reason
 * @property {import('./types.js').Scope} scope what was stopped: the task itself, which then never starts again, or more
 */

/** @typedef {{ orderId: string, scope: import('./types.js').Scope, reason: string, principal: { id: string }, at: string }} Stop */

/** @type {Map<string, KilledTask>} */
const killed = new Map();
/** `again`: when it may be read again. @type {Map<string, { stop: Stop, isRead: boolean, again: number }>} */
const wide = new Map();
/** @type {Set<string>} */
const missing = new Set();
let lookedUpAt = 0;
let isReading = false;

/** For whoever comes next to this tab. */
export function forgetKilled() {
  for (const each of [killed, wide, missing]) each.clear();
}

/** A stop of a task marks it for good; whom a wider one killed is yet to be read. @param {Stop} stop */
export function heedStop(stop) {
  if ('task' in stop.scope) {
    mark(stop.scope.task, stop);
    return;
  }
  if (wide.has(stop.orderId)) return;
  wide.set(stop.orderId, { stop, isRead: false, again: 0 });
  const [oldest] = wide.keys();
  if (wide.size > mostStops && oldest !== undefined) wide.delete(oldest);
}

/** @param {import('./types.js').Status} status */
export function heedStatus({ gates, openOrders }) {
  for (const gate of gates) heedStop({ ...gate, at: gate.shutAt });
  for (const order of openOrders) if (!('task' in order.scope)) heedStop({ ...order, at: order.requestedAt });
}

/**
 * Reads what is not known yet. Never rejects.
 *
 * @param {readonly string[]} gone tasks that were live when it was called before: a stop may come and go between two looks,
 *   and whether it was one, or the task has ended by itself, is on record
 */
export async function findKilled(gone) {
  for (const taskId of gone) if (!killed.has(taskId) && missing.size < mostMissing) missing.add(taskId);
  if (isReading) return;
  isReading = true;
  try {
    for (const known of wide.values()) if (!known.isRead) await readWide(known);
    const [taskId] = missing;
    if (taskId === undefined || performance.now() - lookedUpAt < lookUpMs) return;
    lookedUpAt = performance.now();
    missing.delete(taskId);
    if (!killed.has(taskId)) await lookUp(taskId);
  } finally {
    isReading = false;
  }
}

/** The newest first. */
export function killedTasks() {
  return [...killed.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/** @param {string} taskId @param {Stop} stop */
function mark(taskId, { orderId, scope, reason, principal, at }) {
  const known = killed.get(taskId);
  if (known !== undefined && ('task' in known.scope || Date.parse(known.at) >= Date.parse(at))) return;
  killed.set(taskId, { taskId, orderId, by: principal.id, at, reason, scope });
}

/** A big one is not read all the time. @param {{ stop: Stop, isRead: boolean, again: number }} known */
async function readWide(known) {
  const begun = performance.now();
  if (begun < known.again) return;
  try {
    const order = await call('GET', `/orders/${encodeURIComponent(known.stop.orderId)}`);
    for (const { taskId, outcome } of order.outcomes) if (outcome === 'confirmed') mark(taskId, known.stop);
    known.isRead = order.settled;
  } catch (error) {
    // It is not theirs to see: then each task of theirs is looked up.
    if (error instanceof ApiError && error.status === 404) known.isRead = true;
  }
  known.again = performance.now() + 10 * (performance.now() - begun);
}

/** @param {string} taskId */
async function lookUp(taskId) {
  const query = new URLSearchParams({ taskId, type: 'agent.killed', limit: '1' });
  const answer = await call('GET', `/audit?${query}`).catch(() => undefined);
  const event = answer?.records[0]?.event;
  if (event === undefined) return;
  mark(taskId, { ...event, at: event.requestedAt });
  heedStop({ ...event, at: event.requestedAt });
}
