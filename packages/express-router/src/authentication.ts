import { type Principal, principalSchema } from '@agent-killswitch/core';
import type { Request, RequestHandler } from 'express';
import { HttpError } from './problem.ts';
import { within } from './within.ts';

const authenticateMs = 5_000;

/** Says who asks, from whatever the service authenticates with; `undefined` if nobody that is known. */
export type Authenticate = (request: Request) => Principal | undefined | Promise<Principal | undefined>;

/** Puts the principal into `response.locals`; lets nobody else through. */
export function identify(authenticate: Authenticate): RequestHandler {
  const strangers = new Strangers();
  return async (request, response, next) => {
    let principal: Principal | undefined;
    try {
      principal = await within(authenticateMs, async () => authenticate(request));
      if (principal !== undefined) principal = principalSchema.parse(principal);
    } catch (error) {
      next(
        new HttpError('authentication-unavailable', 'The caller could not be authenticated', {
          cause: error,
        }),
      );
      return;
    }
    if (principal === undefined) {
      const address = request.ip ?? '';
      if (strangers.isTooMany(address)) response.set('Retry-After', '10');
      next(
        strangers.isTooMany(address)
          ? new HttpError('too-many-attempts', 'Wait 10 s; known credentials are never refused for this')
          : new HttpError('unauthenticated', 'Give credentials that this service knows'),
      );
      strangers.note(address);
      return;
    }
    if (mayBeForged(request)) {
      next(new HttpError('cross-site-request', 'With a cookie, send JSON or an X-Killswitch-Request header'));
      return;
    }
    response.locals.principal = principal;
    next();
  };
}

/**
 * A browser sends cookies with what another site's page asks for, if that is no more than a form could ask for: no JSON
 * and no header of one's own.
 */
function mayBeForged(request: Request): boolean {
  if (request.method === 'GET' || request.method === 'HEAD' || request.get('Cookie') === undefined)
    return false;
  return request.get('X-Killswitch-Request') === undefined && !request.is('json');
}

const windowMs = 10_000;
const mostAttempts = 50;
const mostAddresses = 10_000;

/** Counts attempts without known credentials by address. Whoever has them is never counted. */
class Strangers {
  #attempts = new Map<string, number>();
  #since = 0;

  isTooMany(address: string): boolean {
    return Date.now() - this.#since < windowMs && (this.#attempts.get(address) ?? 0) >= mostAttempts;
  }

  note(address: string): void {
    if (Date.now() - this.#since >= windowMs) {
      this.#attempts = new Map();
      this.#since = Date.now();
    }
    if (this.#attempts.size < mostAddresses || this.#attempts.has(address))
      this.#attempts.set(address, (this.#attempts.get(address) ?? 0) + 1);
  }
}
