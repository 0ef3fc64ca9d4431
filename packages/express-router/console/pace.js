/** How often things are looked at again, in milliseconds. */
const lookMs = 1_000;

/** @param {number} ms @returns {Promise<void>} */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Looks again and again, until the signal; at what takes long less often, so that a page asks a busy server for little.
 *
 * @param {() => Promise<void>} look never rejects
 * @param {AbortSignal} signal
 */
export async function lookAgain(look, signal) {
  while (!signal.aborted) {
    const begun = performance.now();
    await look();
    await pause(Math.max(lookMs, 4 * (performance.now() - begun)));
  }
}
