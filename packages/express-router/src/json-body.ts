import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { HttpError } from './problem.ts';
import { hasRepeatedMember } from './repeated-member.ts';

const bodyMs = 5_000;

/**
 * Reads a JSON body of at most `limit` bytes within 5 s, and refuses whatever else there is. `undefined`: there is none.
 * What a parser before this one has made of the body is taken as it is, but never what a form of another site can send.
 * @throws HttpError
 */
export function jsonBody(limit: number): (request: IncomingMessage & { body?: unknown }) => Promise<unknown> {
  return async (request) => {
    if (request.readableDidRead) return parsedBefore(request);
    const { 'transfer-encoding': encoding, 'content-length': length = '0' } = request.headers;
    if (encoding === undefined && Number(length) === 0) return undefined;
    refuseOtherTypes(request);
    if (Number(length) > limit) throw tooLarge();
    return parsed(await bytesOf(request, limit));
  };
}

/** @throws HttpError */
function parsedBefore(request: IncomingMessage & { body?: unknown }): unknown {
  const { body, headers } = request;
  if (body === undefined) return undefined;
  if (formType.test(headers['content-type'] ?? 'text/plain')) throw unsupported('as application/json');
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return body;
  return parsed(Buffer.from(body as string));
}

const formType = /^\s*(?:application\/x-www-form-urlencoded|multipart\/|text\/plain)/i;
const jsonType = /^\s*application\/json\s*(?:;(.*))?$/i;
const charsetParameter = /(?:^|;)\s*charset\s*=\s*"?([^\s;"]*)/i;

/** @throws HttpError */
function refuseOtherTypes({ headers }: IncomingMessage): void {
  const { 'content-type': type = '', 'content-encoding': coding = 'identity' } = headers;
  const parameters = jsonType.exec(type);
  if (parameters === null) throw unsupported('as application/json');
  const [, charset = 'utf-8'] = charsetParameter.exec(parameters[1] ?? '') ?? [];
  if (!/^utf-?8$/i.test(charset)) throw unsupported('in UTF-8');
  if (coding.toLowerCase() !== 'identity') throw unsupported('not compressed');
}

function unsupported(how: string): HttpError {
  return new HttpError('unsupported-media-type', `Send the body ${how}`);
}

/** @throws HttpError */
function bytesOf(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', end).off('close', gone).off('error', gone);
    };
    const fail = (error: HttpError): void => {
      done();
      // What still comes is nobody's.
      request.on('error', () => undefined).resume();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) fail(tooLarge());
      else chunks.push(chunk);
    };
    const end = (): void => {
      done();
      const [only, ...others] = chunks;
      resolve(only !== undefined && others.length === 0 ? only : Buffer.concat(chunks));
    };
    const gone = (): void => fail(new HttpError('malformed-request', 'The body broke off'));
    const late = (): void =>
      fail(new HttpError('request-timeout', `The body did not come within ${bodyMs} ms`));
    const timer = setTimeout(late, bodyMs);
    request.on('data', take).on('end', end).on('close', gone).on('error', gone);
  });
}

/** What is no text is not on record as something else than what was sent. @throws HttpError */
function parsed(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new HttpError('malformed-request', 'The body is not valid UTF-8');
  // Some editors put a mark in front of what they save.
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HttpError('malformed-request', 'The body is not valid JSON');
  }
  if (hasRepeatedMember(text, body))
    throw new HttpError('malformed-request', 'The body names a member of an object twice');
  return body;
}

function tooLarge(): HttpError {
  return new HttpError('body-too-large', 'The body is over the limit');
}
