import { once } from 'node:events';
import type { Response } from 'express';
import type { ServerEvent } from './http.ts';
import { HttpError } from './problem.ts';

/** A comment is sent that often, so that both ends notice when the other is gone. */
const beatMs = 15_000;
/** Who does not read for this long is cut off. */
const drainMs = 10_000;
const mostStreams = 200;
let streams = 0;

/**
 * Sends server-sent events until they end or the caller is gone.
 * @throws HttpError `too-many-streams` over 200 at once in this process.
 */
export async function sendEvents(
  response: Response,
  events: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
): Promise<void> {
  if (streams >= mostStreams) throw new HttpError('too-many-streams', 'Read GET /orders/:id instead');
  streams += 1;
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const beat = setInterval(() => response.write(': alive\n\n'), beatMs);
  try {
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    for await (const { id, event, data } of events(gone.signal)) {
      const taken = response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (!taken)
        await once(response, 'drain', {
          signal: AbortSignal.any([gone.signal, AbortSignal.timeout(drainMs)]),
        });
    }
    response.end();
  } catch {
    response.destroy();
  } finally {
    clearInterval(beat);
    streams -= 1;
  }
}
