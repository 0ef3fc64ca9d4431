import { call } from './api.js';
import { messageOf } from './dom.js';
import { lookAgain } from './pace.js';

/** @typedef {import('./types.js').Status} Status */

/** @type {Status | undefined} */
let latest;
/** @type {Set<(status: Status) => void>} */
const listeners = new Set();

/** What is shut and what is under way: now, and whenever it was looked at. @param {(status: Status) => void} tell @param {AbortSignal} signal */
export function onStatus(tell, signal) {
  listeners.add(tell);
  signal.addEventListener('abort', () => listeners.delete(tell));
  if (latest !== undefined) tell(latest);
}

/**
 * @param {(fault: string | undefined) => void} doubt told after each look whether what is shown may be old, and why
 * @param {AbortSignal} signal
 */
export async function followStatus(doubt, signal) {
  latest = undefined;
  let seenAt = new Date();
  const look = async () => {
    try {
      const status = await call('GET', '/status');
      if (!Array.isArray(status.gates) || !Array.isArray(status.openOrders)) throw new Error('no status');
      if (signal.aborted) return;
      latest = status;
      seenAt = new Date();
      doubt(undefined);
      for (const tell of listeners) tell(status);
    } catch (error) {
      if (!signal.aborted)
        doubt(`(${messageOf(error)}). What is shown of it is from ${seenAt.toLocaleTimeString()}.`);
    }
  };
  await lookAgain(look, signal);
}
