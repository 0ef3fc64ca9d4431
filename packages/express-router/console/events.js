import { ApiError, addressOf, call, credentials } from './api.js';
import { pause } from './pace.js';
import { inPlace, untilSeen } from './places.js';

/** The server says something every 15 s at least; a connection that is silent for longer is a dead one. In milliseconds. */
const silenceMs = 20_000;
/** Who has said nothing for this long may be kept back by something in between. */
const doubtMs = 2_000;
const againMs = 1_000;
const steps = /** @type {const} */ (['requested', 'signalled', 'forced', 'unconfirmed', 'confirmed']);

/** @typedef {(event: string, data: any) => void} Tell each event once or more */

/**
 * The steps of a stop as they are taken: as server-sent events, over `fetch` because `EventSource` cannot send a token, taken
 * up again where they broke off. As long as none come, the stop is read from time to time.
 *
 * @param {string} orderId
 * @param {Tell} tell
 * @param {AbortSignal} signal
 * @returns {Promise<void>} when they have ended with `settled`, there are none to come, or the signal is given
 */
export async function listen(orderId, tell, signal) {
  const path = `/orders/${encodeURIComponent(orderId)}`;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let heardAt = performance.now();
  const told = (/** @type {string} */ event, /** @type {any} */ data) => {
    tell(event, data);
    if (event === 'settled') over.abort();
  };
  /** @type {StreamState} */
  const state = { known: new Set(), lastId: '' };
  const follow = async () => {
    while (!either.aborted) {
      const seen = await untilSeen(either);
      const heard = () => (heardAt = Number.POSITIVE_INFINITY);
      await inPlace(() => hear(`${path}/events`, state, { told, heard, signal: seen }), seen);
      heardAt = Math.min(heardAt, performance.now());
      if (!either.aborted) await pause(againMs);
    }
  };
  const lookUp = async () => {
    while (!either.aborted) {
      const begun = performance.now();
      const isLate = begun - heardAt > doubtMs && !document.hidden;
      if (isLate && !(await read(path, told))) over.abort();
      await pause(Math.max(againMs, 4 * (performance.now() - begun)));
    }
  };
  await Promise.all([follow(), lookUp()]);
}

/** @typedef {{ known: Set<string>, lastId: string }} StreamState */

/**
 * One connection. Never rejects.
 *
 * @param {string} path
 * @param {StreamState} state
 * @param {{ told: Tell, heard: () => void, signal: AbortSignal }} hearer
 */
async function hear(path, state, { told, heard, signal }) {
  try {
    const resumed = state.lastId === '' ? {} : { 'Last-Event-ID': state.lastId };
    const headers = { ...credentials(), ...resumed };
    const response = await fetch(addressOf(path), { headers, signal, cache: 'no-store' });
    if (!response.ok || response.body === null) return;
    for await (const { id, event, data } of eventsOf(response.body, heard)) {
      state.lastId = id;
      if (state.known.has(id)) continue;
      state.known.add(id);
      told(event, data);
    }
  } catch {
    // It is asked for again. That the server does not answer is said above every view.
  }
}

/** Reads the stop itself. @param {string} path @param {Tell} told @returns {Promise<boolean>} whether there is one */
async function read(path, told) {
  try {
    const order = await call('GET', path);
    told('placed', { at: order.requestedAt });
    for (const { agentId, taskId, evidence, ...times } of order.outcomes)
      for (const step of steps) {
        const at = times[`${step}At`];
        if (at !== undefined) told(step, { agentId, taskId, at, evidence });
      }
    if (order.settled) told('settled', { errors: order.errors });
    return true;
  } catch (error) {
    return !(error instanceof ApiError && error.status === 404);
  }
}

/** @param {ReadableStream<Uint8Array>} body @param {() => void} heard called whenever something comes */
async function* eventsOf(body, heard) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let text = '';
  for (;;) {
    const silent = setTimeout(() => void reader.cancel(), silenceMs);
    const { done, value } = await reader.read().finally(() => clearTimeout(silent));
    if (done) return;
    heard();
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
      if (fields.data !== undefined)
        yield { id: fields.id, event: fields.event, data: JSON.parse(fields.data) };
    }
  }
}
