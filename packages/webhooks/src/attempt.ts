import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Clock, DeadlineError, describeError, isKillswitchError } from '@agent-killswitch/core';
import { type Connections, lookupFor, type Resolve, refuseAddress } from './connection.ts';
import type { Networks } from './networks.ts';
import { retryAfterMs } from './retry-after.ts';
import { faultOfUrl } from './target.ts';

/** Nothing in an answer but its status and two headers is of interest. */
const most = { headerBytes: 16_384, bodyBytes: 16_384, interimAnswers: 8 };
/** How long a connection is kept for the rest of an answer, so that it can be used again. */
const restMs = 1_000;

/** What one attempt to deliver came to. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** 410: nobody there wants to hear from us any more. */
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'failed';
      /** Without the URL. */
      readonly error: string;
      /** When it may be tried again, if the receiver says so. */
      readonly retryAfterMs?: number;
      /** It is the receiver that fails, or what stands in front of it, and not this message: others had better wait, too. */
      readonly isBusy: boolean;
    };

export interface AttemptHost {
  readonly clock: Clock;
  readonly networks: Networks;
  readonly resolve: Resolve;
  readonly connections: Connections;
  /** For all of it: the look-up, every redirect, the answer. */
  readonly attemptMs: number;
  /** How many redirects are followed. */
  readonly redirects: number;
}

/** Sends a body once. Never rejects, and takes `attemptMs` at most. */
export async function attempt(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  host: AttemptHost,
): Promise<Outcome> {
  const until = host.clock.now() + host.attemptMs;
  let place = url;
  try {
    for (let followed = 0; ; followed += 1) {
      const send = (): Promise<Answer> => post(place, headers, body, host, until - host.clock.now());
      // Whoever kept the connection had closed it already: nothing is known of the receiver. It drops repeats by their id.
      const answer = await send().catch((error) => {
        if (error instanceof StaleConnection) return send();
        throw error;
      });
      const next = followed < host.redirects ? redirectOf(answer, place, host.networks) : undefined;
      if (next === undefined) return outcomeOf(answer, host.clock.now());
      place = next;
    }
  } catch (error) {
    return { kind: 'failed', error: describe(error), isBusy: true };
  }
}

/** A connection from before, which ended without an answer. */
class StaleConnection extends Error {}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
}

/** Only those that keep method and body. @throws Error if it leads to where nothing may be sent. */
function redirectOf({ status, location }: Answer, from: URL, networks: Networks): URL | undefined {
  if ((status !== 307 && status !== 308) || location === undefined || !URL.canParse(location, from.href))
    return undefined;
  const to = new URL(location, from.href);
  const fault = faultOfUrl(to.href, networks);
  if (fault !== undefined) throw new Error(`answered ${status}, and where that leads ${fault}`);
  return to;
}

function outcomeOf({ status, retryAfter }: Answer, now: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  const ms = retryAfterMs(retryAfter, now);
  const isRedirect = status >= 300 && status < 400;
  return {
    kind: 'failed',
    error: isRedirect ? `answered ${status}: redirects are not followed` : `answered ${status}`,
    isBusy: ms !== undefined || [429, 502, 503, 504].includes(status),
    ...(ms === undefined ? {} : { retryAfterMs: ms }),
  };
}

function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { clock, networks, resolve, connections }: AttemptHost,
  ms: number,
): Promise<Answer> {
  refuseAddress(url, networks);
  if (ms <= 0) throw new DeadlineError('no answer in time');
  const { promise, resolve: answered, reject } = Promise.withResolvers<Answer>();
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, {
    method: 'POST',
    agent: connections.agentFor(url),
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    lookup: lookupFor(url, networks, resolve),
    maxHeaderSize: most.headerBytes,
  });
  let hasAnswer = false;
  const unanswered = (error: Error): void => {
    if (!hasAnswer) reject(request.reusedSocket ? new StaleConnection(describe(error)) : error);
  };
  const giveUp = (error: Error): void => {
    // At once: a request that waits for a connection is not told of its end before it has one.
    reject(error);
    request.destroy(error);
  };
  const cancel = clock.setTimer(ms, () => giveUp(new DeadlineError(`no answer within ${ms} ms`)));
  let interim = 0;
  request.on('information', () => {
    interim += 1;
    if (interim > most.interimAnswers) giveUp(new Error('it sends interim answers without end'));
  });
  request.on('error', unanswered);
  request.on('close', () => {
    cancel();
    unanswered(new Error('the connection was closed without an answer'));
  });
  request.on('response', (response) => {
    hasAnswer = true;
    const { statusCode: status = 0, headers: given } = response;
    readRest(response, clock, () => {
      answered({ status, location: given.location, retryAfter: given['retry-after'] });
    });
  });
  request.end(body);
  return promise;
}

/** Reads what is announced to be little, for the sake of the connection, and not for long; else the connection is cut. */
function readRest(response: IncomingMessage, clock: Clock, done: () => void): void {
  const cancel = clock.setTimer(restMs, () => response.destroy());
  // A destroyed answer may complain; its status counts all the same.
  response.on('error', () => undefined);
  response.on('close', () => {
    cancel();
    done();
  });
  const length = response.statusCode === 204 ? 0 : Number(response.headers['content-length'] ?? Number.NaN);
  if (length <= most.bodyBytes) response.resume();
  else response.destroy();
}

/** Never the URL, whose path may be a secret: Node's own errors name hosts and addresses only. */
function describe(error: unknown): string {
  if (isKillswitchError(error)) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const text = describeError(error).replace(/^(Error|AggregateError): /, '');
  return text === '' || text === 'AggregateError' ? (code ?? 'failed') : text;
}
