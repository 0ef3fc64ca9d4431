import { isUtf8 } from 'node:buffer';
import {
  describeError,
  InvalidConfigurationError,
  isKillswitchError,
  type Principal,
  principalSchema,
} from '@agent-killswitch/core';
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import type { Route } from './http.ts';
import { HttpError, problemOf } from './problem.ts';

const authenticateMs = 5_000;

/** Says who asks, from whatever the service authenticates with; `undefined` if nobody that is known. */
export type Authenticate = (request: Request) => Principal | undefined | Promise<Principal | undefined>;

export interface MappingOptions {
  readonly authenticate: Authenticate;
  /** Largest accepted body in bytes. Default 16,384. */
  readonly bodyLimit?: number;
  /** Told of every error that is answered with 500, as one line. Default: `console.error`. */
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
  const readJson = jsonBody(options.bodyLimit ?? 16_384);
  for (const route of routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'delete';
    router[method](route.path, identify(options.authenticate), readJson, answer(route, context));
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
    if (problem.status === 500)
      onFault(`${request.method} ${request.baseUrl}${request.path}: ${describeError(error)}`);
    if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
    send(response, problem.status, problem, 'application/problem+json');
  };
}

/** Answers 404 as problem JSON: what comes after all routes of an app. */
export const noSuchRoute: RequestHandler = (request, _response, next) => {
  next(new HttpError('no-such-route', `No endpoint ${request.method} ${request.path}`));
};

function identify(authenticate: Authenticate): RequestHandler {
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
      next(new HttpError('unauthenticated', 'Give credentials that this service knows'));
      return;
    }
    response.locals.principal = principal;
    next();
  };
}

function jsonBody(limit: number): RequestHandler {
  const parse = express.json({
    limit,
    strict: false,
    verify: (_request, _response, body) => refuseNonText(body),
  });
  return (request, response, next) => {
    if (!isDecodable(request.originalUrl)) {
      next(new HttpError('malformed-request', 'The address is not valid UTF-8'));
      return;
    }
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0;
    if (hasBody && !request.is('json')) {
      next(new HttpError('unsupported-media-type', 'Send the body as application/json'));
      return;
    }
    parse(request, response, next);
  };
}

/** What is no text is not on record as something else than what was sent. */
function refuseNonText(body: Buffer): void {
  if (!isUtf8(body)) throw new HttpError('malformed-request', 'The body is not valid UTF-8');
}

function isDecodable(address: string): boolean {
  try {
    decodeURIComponent(address);
    return true;
  } catch {
    return false;
  }
}

function answer<Context>(route: Route<Context>, context: Context): RequestHandler {
  return async (request, response) => {
    const { status, body, location } = await route.handle(context, {
      params: request.params as Record<string, string>,
      query: request.query,
      body: request.body as unknown,
      principal: response.locals.principal as Principal,
    });
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

/** What Express and its body parser throw, as our own errors. */
function parserError(error: unknown): unknown {
  if (isKillswitchError(error) || typeof error !== 'object' || error === null) return error;
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (status === 413) return new HttpError('body-too-large', 'The body is over the limit');
  if (status === 415)
    return new HttpError(
      'unsupported-media-type',
      'Send the body as application/json in UTF-8, not compressed',
    );
  if (type === 'entity.verify.failed')
    return new HttpError('malformed-request', 'The body is not valid UTF-8');
  if (type === 'entity.parse.failed') return new HttpError('malformed-request', 'The body is not valid JSON');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new HttpError('malformed-request', 'The request cannot be read');
  return error;
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
