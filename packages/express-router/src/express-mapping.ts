import { parse } from 'node:querystring';
import { InvalidConfigurationError } from '@agent-killswitch/core';
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import { type Authenticate, identify, isStill } from './authentication.ts';
import { EventStreams } from './event-stream.ts';
import { Gathering } from './gathering.ts';
import { jsonBody } from './json-body.ts';
import { HttpError } from './problem.ts';
import type { Route } from './route.ts';
import { type Fault, sendJson, sendProblem } from './sending.ts';
import { Shares } from './shares.ts';

export interface MappingOptions {
  readonly authenticate: Authenticate;
  /** Largest accepted body in bytes. Default 16,384. */
  readonly bodyLimit?: number;
  /** Told of every error that is answered with 500, and of what is behind a 503, as one line. Default: `console.error`. */
  readonly onFault?: Fault;
}

/**
 * An Express router over a table of routes: authenticate, parse, handle, answer. A caller that goes away changes
 * nothing: what a handler has begun it finishes (I8).
 * @throws InvalidConfigurationError without an `authenticate` function: there is no open mode.
 */
export function mapRoutes<Context>(
  routes: ReadonlyArray<Route<Context>>,
  context: Context,
  options: MappingOptions,
): Router {
  const router = express.Router();
  addRoutes(router, routes, context, options);
  return router;
}

/** Like {@link mapRoutes}, on a router that there is. @throws InvalidConfigurationError */
export function addRoutes<Context>(
  router: Router,
  routes: ReadonlyArray<Route<Context>>,
  context: Context,
  options: MappingOptions,
): void {
  if (typeof options?.authenticate !== 'function') {
    throw new InvalidConfigurationError([
      'authenticate: a function from a request to a principal is mandatory',
    ]);
  }
  const serve = serving(context, options);
  for (const route of routes)
    router[route.method.toLowerCase() as 'get' | 'post' | 'delete'](route.path, serve(route));
  for (const path of new Set(routes.map((route) => route.path))) router.all(path, refuseMethod(routes, path));
  router.use(problemHandler(options.onFault));
}

/** Answers an error as problem JSON; the last handler of an app that wants the same for its own routes. */
export function problemHandler(onFault?: Fault): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) next(error);
    else sendProblem(request, response, error, onFault);
  };
}

/** Answers 404 as problem JSON: what comes after all routes of an app. */
export const noSuchRoute: RequestHandler = (request, _response, next) => {
  next(new HttpError('no-such-route', `No endpoint ${request.method} ${request.path}`));
};

/** One handler for all of it: each more would cost every request a round through the router. */
function serving<Context>(context: Context, { authenticate, bodyLimit = 16_384, onFault }: MappingOptions) {
  const authenticated = identify(authenticate);
  const readJson = jsonBody(bodyLimit);
  const streams = new EventStreams();
  const looks = new Shares(1);
  const others = new Gathering();
  return (route: Route<Context>): RequestHandler =>
    async (request, response, next) => {
      try {
        const principal = await authenticated(request, response);
        const query = queryOf(request.originalUrl);
        const body = await readJson(request);
        // Who only looks waits for their turn; who stops waits for nobody but those who came at the same moment.
        if (route.method === 'GET' || query.preview === 'true') await looks.next(principal.id);
        else await others.next();
        const answer = await route.handle(context, {
          params: request.params as Record<string, string>,
          query,
          body,
          headers: {
            idempotencyKey: request.get('Idempotency-Key'),
            lastEventId: request.get('Last-Event-ID'),
            prefer: request.get('Prefer'),
          },
          principal,
        });
        const { status, location, events } = answer;
        if (location !== undefined) response.setHeader('Location', encodeURI(request.baseUrl + location));
        if (events === undefined) sendJson(response, status, answer.body);
        else {
          const mayListen = () => isStill(authenticate, request, principal);
          await streams.send(request, response, { id: principal.id, mayListen }, events);
        }
      } catch (error) {
        if (response.headersSent) next(error);
        else sendProblem(request, response, error, onFault);
      }
    };
}

/** The query, whichever parser the app has. @throws HttpError `malformed-request` */
function queryOf(address: string): Readonly<Record<string, unknown>> {
  try {
    if (address.includes('%')) decodeURIComponent(address);
  } catch {
    throw new HttpError('malformed-request', 'The address is not valid UTF-8');
  }
  const at = address.indexOf('?');
  return at < 0 ? {} : parse(address.slice(at + 1));
}

function refuseMethod<Context>(routes: ReadonlyArray<Route<Context>>, path: string): RequestHandler {
  const allowed = routes.filter((route) => route.path === path).map((route) => route.method);
  return (request, response, next) => {
    response.setHeader('Allow', allowed.join(', '));
    next(
      new HttpError('method-not-allowed', `${request.method} is not allowed here; ${allowed.join(', ')} is`),
    );
  };
}
