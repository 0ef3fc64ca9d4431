import { describeError, InvalidConfigurationError, type Principal } from '@agent-killswitch/core';
import express, { type ErrorRequestHandler, type RequestHandler, type Response, type Router } from 'express';
import { type Authenticate, identify } from './authentication.ts';
import { sendEvents } from './event-stream.ts';
import { jsonBody, parserError } from './json-body.ts';
import { HttpError, problemOf } from './problem.ts';
import type { Route } from './route.ts';

export interface MappingOptions {
  readonly authenticate: Authenticate;
  /** Largest accepted body in bytes. Default 16,384. */
  readonly bodyLimit?: number;
  /** Told of every error that is answered with 500, and of what is behind a 503, as one line. Default: `console.error`. */
  readonly onFault?: (line: string) => void;
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
  if (typeof options?.authenticate !== 'function') {
    throw new InvalidConfigurationError([
      'authenticate: a function from a request to a principal is mandatory',
    ]);
  }
  const router = express.Router();
  const authenticated = identify(options.authenticate);
  const readJson = jsonBody(options.bodyLimit ?? 16_384);
  for (const route of routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'delete';
    router[method](route.path, authenticated, readJson, answer(route, context));
  }
  for (const path of new Set(routes.map((route) => route.path))) router.all(path, refuseMethod(routes, path));
  router.use(problemHandler(options.onFault));
  return router;
}

/** Answers an error as problem JSON; the last handler of an app that wants the same for its own routes. */
export function problemHandler(onFault: (line: string) => void = console.error): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = problemOf(parserError(error));
    const cause = error instanceof Error && problem.status === 503 ? error.cause : undefined;
    if (problem.status === 500 || cause !== undefined)
      onFault(`${request.method} ${request.baseUrl}${request.path}: ${describeError(cause ?? error)}`);
    if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
    if (problem.status === 408) response.set('Connection', 'close');
    send(response, problem.status, problem, 'application/problem+json');
  };
}

/** Answers 404 as problem JSON: what comes after all routes of an app. */
export const noSuchRoute: RequestHandler = (request, _response, next) => {
  next(new HttpError('no-such-route', `No endpoint ${request.method} ${request.path}`));
};

function answer<Context>(route: Route<Context>, context: Context): RequestHandler {
  return async (request, response) => {
    const { status, body, location, events } = await route.handle(context, {
      params: request.params as Record<string, string>,
      query: request.query,
      body: request.body as unknown,
      headers: {
        idempotencyKey: request.get('Idempotency-Key'),
        lastEventId: request.get('Last-Event-ID'),
      },
      principal: response.locals.principal as Principal,
    });
    if (events !== undefined) {
      await sendEvents(response, events);
      return;
    }
    if (location !== undefined) response.set('Location', request.baseUrl + location);
    send(response, status, body, 'application/json');
  };
}

function refuseMethod<Context>(routes: ReadonlyArray<Route<Context>>, path: string): RequestHandler {
  const allowed = routes.filter((route) => route.path === path).map((route) => route.method);
  return (request, response, next) => {
    response.set('Allow', allowed.join(', '));
    next(
      new HttpError('method-not-allowed', `${request.method} is not allowed here; ${allowed.join(', ')} is`),
    );
  };
}

function send(response: Response, status: number, body: unknown, type: string): void {
  response.status(status).set({
    'Content-Type': `${type}; charset=utf-8`,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.send(JSON.stringify(body));
}
