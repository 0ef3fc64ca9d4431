/** A browser has six connections to a server of HTTP/1.1, for all its tabs together: those that stay open may not take them all. */
const places = ['killswitch-stream-1', 'killswitch-stream-2', 'killswitch-stream-3'];

/**
 * Does what keeps a connection open, if a place for it is free. Where there are no locks (no HTTPS), only tabs that are seen do it.
 *
 * @param {() => Promise<void>} work never rejects
 * @param {AbortSignal} signal
 */
export async function inPlace(work, signal) {
  if (navigator.locks === undefined) return work();
  for (const place of places) {
    if (signal.aborted) return;
    const lock = navigator.locks.request(place, { ifAvailable: true }, async (lock) => {
      if (lock === null) return false;
      await work();
      return true;
    });
    // A tab that is being left gets none.
    if (await lock.catch(() => true)) return;
  }
}

/**
 * Waits until somebody can see this tab.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<AbortSignal>} given when nobody can any more, or with `signal`
 */
export async function untilSeen(signal) {
  while (document.hidden && !signal.aborted) await changed(signal);
  const unseen = new AbortController();
  const look = () => document.hidden && unseen.abort();
  document.addEventListener('visibilitychange', look, { signal: AbortSignal.any([signal, unseen.signal]) });
  return AbortSignal.any([signal, unseen.signal]);
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
function changed(signal) {
  return new Promise((resolve) => {
    const done = () => resolve();
    document.addEventListener('visibilitychange', done, { once: true, signal });
    signal.addEventListener('abort', done, { once: true });
  });
}
