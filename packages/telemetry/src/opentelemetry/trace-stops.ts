import {
  type Agent,
  type Killswitch,
  type KillswitchEvents,
  operationOf,
  scopeKey,
  scopeKind,
} from '@agent-killswitch/core';
import { type Attributes, context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';

export interface TraceOptions {
  /** Default: the tracer named `agent-killswitch` of the global provider. */
  readonly tracer?: Tracer;
}

/** What another host finishes is told there and not here, so the oldest spans give way (I12). */
const mostOpen = 10_000;

/**
 * One span per stop that was asked for here, one below it per agent that dies by it here, and one per agent's life. Needs the
 * API of OpenTelemetry alone: without an SDK it does nothing. Returns what ends it, with all spans that are open.
 */
export function traceStops(
  ks: Killswitch,
  { tracer = trace.getTracer('agent-killswitch') }: TraceOptions = {},
): () => void {
  const spans = new OpenSpans(tracer);
  const offs = [
    ks.on('step', (step) => {
      if (step.agentId === undefined) orderStep(spans, ks.hostId, step);
      else agentStep(spans, step, step.agentId);
    }),
    ks.on('transition', (change) => agentLife(spans, change)),
  ];
  return () => {
    for (const off of offs) off();
    spans.endAll();
  };
}

/** Spans by what they are of; times are milliseconds since the Unix epoch. */
class OpenSpans {
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

function orderStep(spans: OpenSpans, hostId: string, { step, order, at }: KillswitchEvents['step']): void {
  const key = `order ${order.orderId}`;
  const stop = spans.get(key);
  if (step === 'settled') spans.end(key, at);
  else if (stop !== undefined) stop.addEvent(step, at);
  else if (order.hostId === hostId)
    spans.start(key, `stop ${scopeKind(order.scope)}`, order.requestedAt, {
      'killswitch.order.id': order.orderId,
      'killswitch.scope': scopeKey(order.scope),
      'killswitch.operation': operationOf(order),
      'killswitch.reason': order.reason,
      'enduser.id': order.principal.id,
    });
}

function agentStep(spans: OpenSpans, { step, order, at }: KillswitchEvents['step'], agentId: string): void {
  const key = `kill ${agentId}`;
  const kill = spans.get(key);
  if (step === 'unconfirmed')
    kill?.setStatus({ code: SpanStatusCode.ERROR, message: 'not observed dead in time' });
  if (step === 'confirmed') spans.end(key, at);
  else if (kill !== undefined) kill.addEvent(step, at);
  else if (step === 'claimed') {
    const attributes = { 'killswitch.agent.id': agentId, 'killswitch.order.id': order.orderId };
    spans.start(key, 'kill agent', at, attributes, spans.get(`order ${order.orderId}`));
  }
}

function agentLife(spans: OpenSpans, { agent, from }: KillswitchEvents['transition']): void {
  const key = `agent ${agent.agentId}`;
  if (from === undefined)
    spans.start(key, 'agent', agent.spawnedAt, {
      'killswitch.agent.id': agent.agentId,
      'killswitch.task.id': agent.taskId,
    });
  const span = spans.get(key);
  if (agent.status === 'failed') span?.setStatus({ code: SpanStatusCode.ERROR, message: agent.error });
  span?.setAttribute('killswitch.agent.status', agent.status);
  if ('completedAt' in agent) spans.end(key, agent.completedAt);
  else if (from !== undefined) span?.addEvent(agent.status, sinceWhen(agent));
}

function sinceWhen(agent: Agent): number {
  return agent.status === 'killing' ? agent.kill.requestedAt : (agent.startedAt ?? agent.spawnedAt);
}
