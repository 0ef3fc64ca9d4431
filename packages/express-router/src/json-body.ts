import { isUtf8 } from 'node:buffer';
import { isKillswitchError } from '@agent-killswitch/core';
import express, { type RequestHandler } from 'express';
import { HttpError } from './problem.ts';

const bodyMs = 5_000;

/** Reads a JSON body of at most `limit` bytes within 5 s into `request.body`, and refuses whatever else there is. */
export function jsonBody(limit: number): RequestHandler {
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
    if (!hasBody) {
      next();
      return;
    }
    if (!request.is('json')) {
      next(new HttpError('unsupported-media-type', 'Send the body as application/json'));
      return;
    }
    let answered = false;
    const once = (error?: unknown): void => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      next(error);
    };
    const timer = setTimeout(
      () => once(new HttpError('request-timeout', `The body did not come within ${bodyMs} ms`)),
      bodyMs,
    );
    parse(request, response, once);
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

/** What Express and its body parser throw, as our own errors. */
export function parserError(error: unknown): unknown {
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
