import { ApiError, call } from './api.js';
import { pause } from './pace.js';

/** How often the server is asked whether it is there, and how long it may take, in milliseconds: its silence is known within 2 s. */
const beatMs = 400;
const patienceMs = 1_400;

/**
 * Asks again and again who is here. This alone decides whether the server answers: whatever else is asked for may take long.
 *
 * @param {object} hear
 * @param {(me: import('./types.js').Me) => void} hear.known after each beat
 * @param {(why: string) => void} hear.stranger once, at the end: the server does not know who this is
 * @param {(fault: string | undefined) => void} hear.health after each beat: what is wrong with the server
 * @returns {Promise<void>}
 */
export async function beat({ known, stranger, health }) {
  for (;;) {
    const answer = await call('GET', '/me', { patienceMs }).catch((error) => error);
    if (!(answer instanceof ApiError)) {
      health(undefined);
      known(answer);
    } else if (answer.status === 0) {
      health('The server does not answer.');
    } else if (answer.status >= 500) {
      health(`The server cannot say who you are (${answer.message}).`);
    } else {
      health(undefined);
      stranger(answer.status === 401 ? 'This token is not known here.' : answer.message);
      return;
    }
    await pause(beatMs);
  }
}
