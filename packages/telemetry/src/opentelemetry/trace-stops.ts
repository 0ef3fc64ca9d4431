import type { Agent, Killswitch, KillswitchEvents } from '@agent-killswitch/core';
import { SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { OpenSpans } from './open-spans.ts';
import { keyOf, StopSpans } from './stop-spans.ts';

export interface TraceOptions {
  /** Default: the tracer named `agent-killswitch` of the global provider. */
  readonly tracer?: Tracer;
}

/**
 * One span per stop that was asked for here, one below it per agent that dies by it here, and one per agent's life. Needs the
 * API of OpenTelemetry alone: without an SDK it does nothing. Returns what ends it, with all spans that are open.
 */
export function traceStops(
  ks: Killswitch,
  { tracer = trace.getTracer('agent-killswitch') }: TraceOptions = {},
): () => void {
  const spans = new OpenSpans(tracer);
  const stops = new StopSpans(spans, ks.hostId);
  const offs = [
    ks.on('step', (step) => {
      if (step.agentId === undefined) stops.step(step);
      else agentStep(spans, step, step.agentId);
    }),
    ks.on('audit', ({ event }) => {
      if (event.type === 'order.joined') stops.joined(event);
    }),
    ks.on('transition', (change) => agentLife(spans, change)),
  ];
  return () => {
    for (const off of offs) off();
    spans.endAll();
  };
}

function agentStep(spans: OpenSpans, { step, order, at }: KillswitchEvents['step'], agentId: string): void {
  const key = killKeyOf(agentId);
  const kill = spans.get(key);
  if (step === 'unconfirmed')
    kill?.setStatus({ code: SpanStatusCode.ERROR, message: 'not observed dead in time' });
  if (step === 'confirmed') spans.end(key, at);
  else if (kill !== undefined) kill.addEvent(step, at);
  else if (step === 'claimed') {
    const attributes = { 'killswitch.agent.id': agentId, 'killswitch.order.id': order.orderId };
    spans.start(key, 'kill agent', at, attributes, spans.get(keyOf(order.orderId)));
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
  if ('completedAt' in agent) {
    // Also who has never run, and is dead by its host's word: no step tells of that.
    spans.end(killKeyOf(agent.agentId), agent.completedAt);
    spans.end(key, agent.completedAt);
  } else if (from !== undefined) span?.addEvent(agent.status, sinceWhen(agent));
}

function killKeyOf(agentId: string): string {
  return `kill ${agentId}`;
}

function sinceWhen(agent: Agent): number {
  return agent.status === 'killing' ? agent.kill.requestedAt : (agent.startedAt ?? agent.spawnedAt);
}
