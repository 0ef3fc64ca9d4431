import { isKillswitchError } from '@agent-killswitch/core';
import {
  StateClientError,
  StateConnectionError,
  StateEvictionError,
  StateFullError,
  StateLostError,
  StateRecordError,
  StateVersionError,
} from './errors.ts';

/** What the server or the driver said, as an error that says what to do. */
export function failureOf(error: unknown): Error {
  if (isKillswitchError(error)) return error;
  const text = error instanceof Error ? error.message : String(error);
  const [, word = '', rest = ''] = /^(?:ERR )?([A-Z]+)\b ?(.*)$/s.exec(text) ?? [];
  switch (word) {
    case 'LOST':
      return new StateLostError(
        'The server does not hold the state that this client knows: it lost it, or part of it',
      );
    case 'BROKEN':
      return new StateRecordError(keyIn(rest), 'its beginning is not that of a record');
    case 'TORN':
      return new StateRecordError(keyIn(rest), 'entries of it are gone, and nobody knows which');
    case 'EVICTS':
      return new StateEvictionError(
        `The server drops keys when it is full (maxmemory-policy ${keyIn(rest)}), gates among them: set it to noeviction`,
      );
    case 'VERSION':
      return new StateVersionError('the store', Number.parseInt(rest, 10));
    case 'OOM':
      return new StateFullError('The server is at its maxmemory: give it more, or remove what is not needed');
  }
  if (/subscriber mode|SUBSCRIBE.*allowed in this context/i.test(text)) {
    return new StateClientError('The client is in subscriber mode: give redisState a client of its own');
  }
  return new StateConnectionError(`The state store did not do it: ${text.slice(0, 300)}`, { cause: error });
}

/** What a script has said, without what the server says after it. */
function keyIn(rest: string): string {
  return rest.split(' script:', 1)[0] ?? rest;
}

export function isReply(error: unknown, word: string): boolean {
  return error instanceof Error && new RegExp(`^(?:ERR )?${word}\\b`).test(error.message);
}
