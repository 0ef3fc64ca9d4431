import { call } from '../api.js';
import { count, h, messageOf } from '../dom.js';

/** A check takes some seconds at a time, in milliseconds. */
const patienceMs = 15_000;

const faults = {
  shape: 'it is no record',
  partition: 'it belongs to another chain',
  sequence: 'it does not stand where its number says',
  link: 'what stood before it was changed or is gone',
  hash: 'it was changed after it was written',
  head: 'it is not the one that was there once',
  truncated: 'it is gone: the chain was cut off there',
};

/** Whether this service can verify its record, as it says itself. @returns {Promise<boolean>} */
export async function canVerify() {
  const document = await call('GET', '/openapi.json').catch(() => undefined);
  return document?.paths?.['/audit/verify'] !== undefined;
}

/**
 * Checks the whole record, or a workspace's, and says how that goes.
 *
 * @param {string} workspaceId empty: all that one may see
 * @param {HTMLElement} place where it is said
 * @param {AbortSignal} signal
 * @returns {Promise<{ partition: string, seq: number } | undefined>} the first bad record, if it may be known
 */
export async function verify(workspaceId, place, signal) {
  const query = new URLSearchParams(workspaceId === '' ? {} : { workspaceId });
  place.replaceChildren('Checking…');
  try {
    while (!signal.aborted) {
      const found = await call('GET', `/audit/verify?${query}`, { patienceMs });
      if (!found.ok) {
        place.replaceChildren(broken(found));
        return found.at;
      }
      if (found.complete) {
        place.replaceChildren(whole(found));
        return undefined;
      }
      place.replaceChildren(`Checking… ${recordsOf(found)} so far are as they were written.`);
      query.set('cursor', found.cursor);
    }
  } catch (error) {
    place.replaceChildren(h('p', { class: 'fault' }, `Not verified: ${messageOf(error)}`));
  }
  return undefined;
}

/** @param {{ count?: number, anchored: boolean }} found */
function whole(found) {
  const limits = found.anchored
    ? 'They were held against signed checkpoints too.'
    : 'There are no signed checkpoints to hold them against: a record that was cut off at its end, or written anew from some place on, would look the same.';
  return h(
    'div',
    { class: 'panel good' },
    h('p', {}, h('strong', {}, `The record is whole: ${recordsOf(found)} checked, each as it was written.`)),
    h('p', {}, limits),
  );
}

/** @param {{ fault: string, count?: number, at?: { partition: string, seq: number, eventId?: string } }} found */
function broken({ fault, count: good, at }) {
  const where =
    at === undefined
      ? 'Which one is for a super admin to see.'
      : `The first bad one is number ${at.seq} of chain ${at.partition}${at.eventId === undefined ? '' : `, event ${at.eventId}`}.`;
  const why = faults[/** @type {keyof typeof faults} */ (fault)];
  return h(
    'div',
    { class: 'alarm', role: 'alert' },
    h('h3', {}, 'THE RECORD IS BROKEN'),
    h('p', {}, `${where} What is wrong with it: ${why === undefined ? fault : `${why} (${fault})`}.`),
    h(
      'p',
      {},
      `${good === undefined ? 'What stands' : count(good, 'record')} before it: in order. Nothing behind it was looked at.`,
    ),
  );
}

/** @param {{ count?: number }} found */
function recordsOf(found) {
  return found.count === undefined ? 'all records' : count(found.count, 'record');
}
