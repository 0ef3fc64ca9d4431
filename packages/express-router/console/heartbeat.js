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
    if (isMe(answer)) {
      health(undefined);
      known(answer);
    } else if (isStranger(answer)) {
      health(undefined);
      stranger(answer.status === 401 ? 'This token is not known here.' : answer.message);
      return;
    } else if (answer instanceof ApiError && answer.status !== 0) {
      health(`The server cannot say who you are (${answer.message}).`);
    } else {
      health('The server does not answer.');
    }
    await pause(beatMs);
  }
}

/** @param {any} answer @returns {answer is import('./types.js').Me} */
function isMe(answer) {
  return typeof answer?.principal?.id === 'string' && Array.isArray(answer.may?.workspaces);
}

/**
 * Only the service says that it does not know somebody: what a gateway in between refuses is no reason to forget a token.
 *
 * @param {unknown} answer
 * @returns {answer is ApiError}
 */
function isStranger(answer) {
  return answer instanceof ApiError && (answer.status === 401 || answer.code === 'too-many-attempts');
}
