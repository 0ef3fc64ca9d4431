import { describeError, isKillswitchError } from '@agent-killswitch/core';
import type { Request, Response } from 'express';
import { HttpError, problemOf } from './problem.ts';

/** Told of what went wrong here, as one line. */
export type Fault = (line: string) => void;

/** Not by Express's `send`: its entity tags hash what nobody may store. */
export function sendJson(response: Response, status: number, body: unknown, type = 'application/json'): void {
  const text = JSON.stringify(body) ?? '';
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  // ASCII, as nearly all of it is, is the same in both, and quicker to write in this one.
  response.end(text, length === text.length ? 'latin1' : 'utf8');
}

/** Answers an error as a problem (RFC 9457), and tells of what is no fault of the caller's. */
export function sendProblem(
  request: Request,
  response: Response,
  error: unknown,
  onFault: Fault = console.error,
): void {
  const problem = problemOf(expressError(error));
  const cause = error instanceof Error && problem.status === 503 ? error.cause : undefined;
  if (problem.status === 500 || cause !== undefined)
    onFault(`${request.method} ${request.baseUrl}${request.path}: ${describeError(cause ?? error)}`);
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  if (problem.status === 408) response.setHeader('Connection', 'close');
  sendJson(response, problem.status, problem, 'application/problem+json');
}

/** What Express throws of a request that it cannot read, and a body parser before us, as our own errors. */
function expressError(error: unknown): unknown {
  if (isKillswitchError(error) || typeof error !== 'object' || error === null) return error;
  const { status } = error as { status?: unknown };
  if (status === 413) return new HttpError('body-too-large', 'The body is over the limit');
  if (status === 415) return new HttpError('unsupported-media-type', 'Send the body as application/json');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new HttpError('malformed-request', 'The request cannot be read');
  return error;
}
