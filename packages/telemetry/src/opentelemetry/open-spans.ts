import { type Attributes, context, type Span, type Tracer, trace } from '@opentelemetry/api';

/** What another host finishes is told there and not here, so the oldest spans give way (I12). */
const mostOpen = 10_000;

/** Spans by what they are of; times are milliseconds since the Unix epoch. */
export class OpenSpans {
  readonly #tracer: Tracer;
  readonly #open = new Map<string, Span>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  get(key: string): Span | undefined {
    return this.#open.get(key);
  }

  start(key: string, name: string, startTime: number, attributes: Attributes, parent?: Span): void {
    const under = parent === undefined ? context.active() : trace.setSpan(context.active(), parent);
    this.#open.set(key, this.#tracer.startSpan(name, { startTime, attributes }, under));
    const [oldest] = this.#open.keys();
    if (this.#open.size > mostOpen && oldest !== undefined) this.end(oldest, startTime);
  }

  end(key: string, at?: number): void {
    const span = this.#open.get(key);
    this.#open.delete(key);
    span?.end(at);
  }

  endAll(): void {
    for (const key of [...this.#open.keys()]) this.end(key);
  }
}
