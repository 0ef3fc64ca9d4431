import { once } from 'node:events';
import type { Request, Response } from 'express';
import type { ServerEvent } from './http.ts';
import { HttpError } from './problem.ts';

/** A comment is sent that often, so that both ends notice when the other is gone. */
const beatMs = 15_000;
/** Who does not read for this long is cut off. */
const drainMs = 10_000;
const mostStreams = 200;
/** Nobody takes all of them. */
const mostStreamsEach = 50;

/** Server-sent events, to so many at once. */
export class EventStreams {
  #count = 0;
  readonly #counts = new Map<string, number>();
  /** Each event is written out once, however many hear it. */
  readonly #texts = new WeakMap<ServerEvent, string>();

  /**
   * Sends events until they end or the caller is gone.
   * @param listener the id of who listens
   * @throws HttpError `too-many-streams` over 200 at once, or 50 of one listener
   */
  async send(
    request: Request,
    response: Response,
    listener: string,
    events: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>,
  ): Promise<void> {
    const mine = this.#counts.get(listener) ?? 0;
    if (this.#count >= mostStreams || mine >= mostStreamsEach)
      throw new HttpError('too-many-streams', 'Read GET /orders/:id instead');
    this.#count += 1;
    this.#counts.set(listener, mine + 1);
    try {
      begin(response);
      if (request.method === 'HEAD') response.end();
      else await this.#pass(response, events);
    } catch {
      response.destroy();
    } finally {
      this.#count -= 1;
      const left = (this.#counts.get(listener) ?? 1) - 1;
      if (left > 0) this.#counts.set(listener, left);
      else this.#counts.delete(listener);
    }
  }

  async #pass(
    response: Response,
    events: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>,
  ): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    // It may have gone while it was found out who it is.
    if (response.closed) gone.abort();
    const beat = setInterval(() => response.write(': alive\n\n'), beatMs);
    try {
      for await (const batch of events(gone.signal)) {
        if (response.write(batch.map((event) => this.#textOf(event)).join(''))) continue;
        const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(drainMs)]);
        await once(response, 'drain', { signal });
      }
      response.end();
    } finally {
      clearInterval(beat);
    }
  }

  #textOf(event: ServerEvent): string {
    const known = this.#texts.get(event);
    if (known !== undefined) return known;
    const text = `id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`;
    this.#texts.set(event, text);
    return text;
  }
}

function begin(response: Response): void {
  response.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    // Whoever compresses what is sent would keep it back until there is more.
    'Cache-Control': 'no-store, no-transform',
    'X-Content-Type-Options': 'nosniff',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
}
