import { call } from './api.js';
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

/** @param {AbortSignal} signal */
export async function followStatus(signal) {
  latest = undefined;
  const look = async () => {
    const status = await call('GET', '/status').catch(() => undefined);
    if (status === undefined || signal.aborted) return;
    latest = status;
    for (const tell of listeners) tell(status);
  };
  await lookAgain(look, signal);
}
