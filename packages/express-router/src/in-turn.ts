import { AuditUnavailableError, isKillswitchError } from '@agent-killswitch/core';
import type { Turns } from './turns.ts';
import { within } from './within.ts';

/** How long somebody may look at the record, in milliseconds. */
const lookMs = 10_000;

/**
 * Looks at the audit record if there is room, for as long as a request may take.
 * @throws AuditUnavailableError if there is none, or the sink fails or is late; InvalidInputError as the sink says
 */
export async function inTurn<T>(turns: Turns, look: () => Promise<T>): Promise<T> {
  const work = turns.take(look);
  if (work === undefined)
    throw new AuditUnavailableError('Others are reading the audit record: ask again in a moment');
  try {
    return await within(lookMs, () => work);
  } catch (error) {
    if (isKillswitchError(error, 'invalid-input') || isKillswitchError(error, 'audit-unavailable'))
      throw error;
    throw new AuditUnavailableError('The audit record cannot be read now', { cause: error });
  }
}
