import { addressOf, credentials } from './api.js';
import { pause } from './pace.js';

/** The server says something every 15 s at least; a connection that is silent for longer is a dead one. In milliseconds. */
const silenceMs = 20_000;
const againMs = 1_000;

/**
 * Server-sent events, over `fetch` because `EventSource` cannot send a token; taken up again where they broke off.
 *
 * @param {string} path
 * @param {(event: string, data: any) => void} tell each event once
 * @param {AbortSignal} signal
 * @returns {Promise<void>} when they have ended with `settled`, there are none to come, or the signal is given
 */
export async function listen(path, tell, signal) {
  const known = new Set();
  let lastId = '';
  while (!signal.aborted) {
    try {
      const resumed = lastId === '' ? {} : { 'Last-Event-ID': lastId };
      const response = await fetch(addressOf(path), {
        headers: { ...credentials(), ...resumed },
        signal,
        cache: 'no-store',
      });
      if (response.status === 404) return;
      if (response.ok && response.body !== null) {
        for await (const { id, event, data } of eventsOf(response.body)) {
          lastId = id;
          if (known.has(id)) continue;
          known.add(id);
          tell(event, data);
          if (event === 'settled') return;
        }
      }
    } catch {
      // It is asked for again below. That the server does not answer is said above every view.
    }
    if (!signal.aborted) await pause(againMs);
  }
}

/** @param {ReadableStream<Uint8Array>} body */
async function* eventsOf(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let text = '';
  for (;;) {
    const silent = setTimeout(() => void reader.cancel(), silenceMs);
    const { done, value } = await reader.read().finally(() => clearTimeout(silent));
    if (done) return;
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
