import { type Principal, principalSchema } from '@agent-killswitch/core';
import type { Request, Response } from 'express';
import { HttpError } from './problem.ts';
import { Strangers, windowMs } from './strangers.ts';
import { within } from './within.ts';

const authenticateMs = 5_000;
const retryAfterSeconds = windowMs / 1_000;

type Asker = Principal | undefined | null;

/** Says who asks, from whatever the service authenticates with; `undefined` or `null` if nobody that is known. */
export type Authenticate = (request: Request) => Asker | Promise<Asker>;

/** Made once: in a flood, what tells where an error was made would cost more than all the rest of the answer. */
const unknown = new HttpError('unauthenticated', 'Give credentials that this service knows');
const tooMany = new HttpError(
  'too-many-attempts',
  `Wait ${retryAfterSeconds} s; known credentials are never refused for this`,
);

/**
 * Says who asks, and lets nobody else through.
 * @throws HttpError `unauthenticated`, `too-many-attempts`, `authentication-unavailable` or `cross-site-request`
 */
export function identify(
  authenticate: Authenticate,
): (request: Request, response: Response) => Promise<Principal> {
  const strangers = strangersTo(authenticate);
  return async (request, response) => {
    const principal = await ask(authenticate, request);
    if (principal === undefined) {
      if (!strangers.isTooMany(request.ip ?? '')) throw unknown;
      response.setHeader('Retry-After', retryAfterSeconds);
      throw tooMany;
    }
    if (mayBeForged(request))
      throw new HttpError('cross-site-request', 'With a cookie, send JSON or an X-Killswitch-Request header');
    return principal;
  };
}

/** Whether somebody who was let through is still who they were and may what they might; yes if nobody can say. */
export async function isStill(
  authenticate: Authenticate,
  request: Request,
  was: Principal,
): Promise<boolean> {
  try {
    return JSON.stringify(await ask(authenticate, request)) === JSON.stringify(was);
  } catch {
    return true;
  }
}

/** All routers with the same credentials count together. */
const counts = new WeakMap<Authenticate, Strangers>();

function strangersTo(authenticate: Authenticate): Strangers {
  const strangers = counts.get(authenticate) ?? new Strangers();
  counts.set(authenticate, strangers);
  return strangers;
}

/** @throws HttpError `authentication-unavailable` */
async function ask(authenticate: Authenticate, request: Request): Promise<Principal | undefined> {
  try {
    const answer = authenticate(request);
    const principal = isPromised(answer) ? await within(authenticateMs, () => answer) : answer;
    return principal === undefined || principal === null ? undefined : principalSchema.parse(principal);
  } catch (cause) {
    throw new HttpError('authentication-unavailable', 'The caller could not be authenticated', { cause });
  }
}

function isPromised(answer: Asker | Promise<Asker>): answer is Promise<Asker> {
  return typeof (answer as Partial<Promise<Asker>> | undefined | null)?.then === 'function';
}

/**
 * A browser sends cookies with what another site's page asks for, if that is no more than a form could ask for: no JSON
 * and no header of one's own.
 */
function mayBeForged(request: Request): boolean {
  if (request.method === 'GET' || request.method === 'HEAD' || request.headers.cookie === undefined)
    return false;
  return request.headers['x-killswitch-request'] === undefined && !request.is('json');
}
