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

/**
 * Whether a client threw an engine's own word that it has no container with this id. Proxies, web servers and engines that know no
 * such path answer 404 too.
 */
export function isNoSuchContainer(thrown: unknown, containerId: string): boolean {
  const said = statusOf(thrown) === 404 ? messageOf(thrown) : '';
  // Docker: `No such container: <id>`, after what it was doing. Podman: `no container with name or ID "<id>" found: no such container`.
  return (
    said.endsWith(`No such container: ${containerId}`) || (isPodmans(said) && hasWord(said, containerId))
  );
}

/** What an engine said in the shape of its errors; empty if it has another. */
function messageOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('json' in thrown)) return '';
  const { json } = thrown;
  if (typeof json !== 'object' || json === null || !('message' in json)) return '';
  return typeof json.message === 'string' ? json.message.trim() : '';
}

function isPodmans(said: string): boolean {
  return said.endsWith(': no such container');
}

function hasWord(said: string, word: string): boolean {
  return said.split(/[^0-9a-zA-Z]+/).includes(word);
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
