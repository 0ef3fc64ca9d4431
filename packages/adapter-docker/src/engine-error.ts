import { describeError, isKillswitchError, type KillswitchError } from '@agent-killswitch/core';
import {
  EngineAnswerError,
  EngineDeniedError,
  EngineFailedError,
  EngineRefusedError,
  EngineUnreachableError,
} from './errors.ts';

/** The HTTP status in what a client threw, if the engine answered at all. */
export function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown)) return undefined;
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : undefined;
}

/** What a client threw, by name. `what` was asked of the engine. */
export function engineError(what: string, thrown: unknown): KillswitchError {
  if (isKillswitchError(thrown)) return thrown;
  const status = statusOf(thrown);
  const options = { cause: thrown };
  const said = `${what}: ${describeError(thrown)}`;
  if (status === undefined) return new EngineUnreachableError(`No answer to ${said}`, options);
  if (status === 401 || status === 403 || status === 407)
    return new EngineDeniedError(`The engine does not allow to ${said}`, options);
  if (status >= 400 && status < 500) return new EngineRefusedError(`The engine refused to ${said}`, options);
  if (status >= 500) return new EngineFailedError(`The engine failed to ${said}`, options);
  return new EngineAnswerError(`The engine answered oddly to ${said}`, options);
}
