import { once } from 'node:events';
import type { Request, Response } from 'express';
import type { ServerEvent } from './http.ts';
import { HttpError } from './problem.ts';
import { Shares } from './shares.ts';

/** A comment is sent that often, so that both ends notice when the other is gone; and it is asked whether they still may listen. */
const defaultBeatMs = 15_000;
/** Who does not read for this long is cut off. */
const drainMs = 10_000;
/** Of all that is told, so much goes out in one turn of the event loop. */
const blocksAtOnce = 8;
const mostStreams = 200;
/** Nobody takes all of them. */
const mostStreamsEach = 50;

interface Listener {
  readonly id: string;
  /** Never rejects. */
  mayListen(): Promise<boolean>;
}

/** Server-sent events, to so many at once. */
export class EventStreams {
  #count = 0;
  readonly #counts = new Map<string, number>();
  readonly #shares = new Shares(blocksAtOnce);
  readonly #beatMs: number;

  constructor(beatMs: number = defaultBeatMs) {
    this.#beatMs = beatMs;
  }
  /** What is told to many is written out once. */
  readonly #bytes = new WeakMap<readonly ServerEvent[], Buffer>();

  /**
   * Sends events until they end or the caller is gone.
   * @param listener their id, and whether they may still listen, asked every 15 s
   * @throws HttpError `too-many-streams` over 200 at once, or 50 of one listener
   */
  async send(
    request: Request,
    response: Response,
    listener: Listener,
    events: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>,
  ): Promise<void> {
    const { id } = listener;
    const mine = this.#counts.get(id) ?? 0;
    if (this.#count >= mostStreams || mine >= mostStreamsEach)
      throw new HttpError('too-many-streams', 'Read GET /orders/:id instead');
    this.#count += 1;
    this.#counts.set(id, mine + 1);
    try {
      begin(response);
      if (request.method === 'HEAD') response.end();
      else await this.#pass(response, listener, events);
    } catch {
      response.destroy();
    } finally {
      this.#count -= 1;
      const left = (this.#counts.get(id) ?? 1) - 1;
      if (left > 0) this.#counts.set(id, left);
      else this.#counts.delete(id);
    }
  }

  async #pass(
    response: Response,
    { id, mayListen }: Listener,
    events: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>,
  ): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    // It may have gone while it was found out who it is.
    if (response.closed) gone.abort();
    const beat = setInterval(async () => {
      if (!(await mayListen())) response.destroy();
      else if (!response.writableEnded) response.write(': alive\n\n');
    }, this.#beatMs);
    try {
      for await (const batch of events(gone.signal)) {
        await this.#shares.next(id);
        if (response.write(this.#bytesOf(batch))) continue;
        const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(drainMs)]);
        await once(response, 'drain', { signal });
      }
      response.end();
    } finally {
      clearInterval(beat);
    }
  }

  #bytesOf(batch: readonly ServerEvent[]): Buffer {
    const known = this.#bytes.get(batch);
    if (known !== undefined) return known;
    const bytes = Buffer.from(batch.map(textOf).join(''));
    this.#bytes.set(batch, bytes);
    return bytes;
  }
}

function textOf({ id, event, data }: ServerEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
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
