import { type Agent, type Killswitch, scopeKey } from '@agent-killswitch/core';

/** What is used of a `Span`, a `Tracer` and a `Context` (C) of `@opentelemetry/api`; times are epoch milliseconds. */
interface Span {
  addEvent(name: string, time: number): unknown;
  setAttribute(name: string, value: string): unknown;
  setStatus(status: { code: number; message: string }): unknown;
  end(time: number): void;
}
interface Tracer<S extends Span, C> {
  startSpan(name: string, options: { startTime: number; attributes: Record<string, string> }, context?: C): S;
}

const error = 2;
const mostOpen = 10_000;

/** Returns what ends it. `under` makes the context in which a span's children start. */
export function traceStops<S extends Span, C>(
  ks: Killswitch,
  tracer: Tracer<S, C>,
  under: (parent: S) => C,
): () => void {
  const open = new Map<string, S>();
  const end = (key: string, at: number): void => {
    open.get(key)?.end(at);
    open.delete(key);
  };
  const start = (
    key: string,
    name: string,
    startTime: number,
    attributes: Record<string, string>,
    parent?: S,
  ): void => {
    open.set(key, tracer.startSpan(name, { startTime, attributes }, parent && under(parent)));
    // What another host finishes is told there and not here, so the oldest give way.
    const [oldest] = open.keys();
    if (open.size > mostOpen && oldest !== undefined) end(oldest, startTime);
  };

  const offStep = ks.on('step', ({ step, order, agentId, at }) => {
    const orderKey = `order ${order.orderId}`;
    const stop = open.get(orderKey);
    if (agentId === undefined) {
      const attributes = {
        'killswitch.order.id': order.orderId,
        'killswitch.reason': order.reason,
        'enduser.id': order.principal.id,
      };
      if (step === 'settled') end(orderKey, at);
      else if (stop !== undefined) stop.addEvent(step, at);
      else if (order.hostId === ks.hostId)
        start(orderKey, `stop ${scopeKey(order.scope)}`, order.requestedAt, attributes);
      return;
    }
    const key = `kill ${agentId}`;
    const kill = open.get(key);
    if (step === 'unconfirmed') kill?.setStatus({ code: error, message: 'not observed dead in time' });
    if (step === 'confirmed') end(key, at);
    else if (kill !== undefined) kill.addEvent(step, at);
    else if (step === 'claimed')
      start(
        key,
        'kill agent',
        at,
        { 'killswitch.agent.id': agentId, 'killswitch.order.id': order.orderId },
        stop,
      );
  });

  const offTransition = ks.on('transition', ({ agent, from }) => {
    const key = `agent ${agent.agentId}`;
    const attributes = { 'killswitch.agent.id': agent.agentId, 'killswitch.task.id': agent.taskId };
    if (from === undefined) start(key, 'agent', agent.spawnedAt, attributes);
    if (agent.status === 'failed') open.get(key)?.setStatus({ code: error, message: agent.error });
    open.get(key)?.setAttribute('killswitch.agent.status', agent.status);
    if ('completedAt' in agent) end(key, agent.completedAt);
    else if (from !== undefined) open.get(key)?.addEvent(agent.status, sinceWhen(agent));
  });

  return () => {
    offStep();
    offTransition();
    for (const key of [...open.keys()]) end(key, Date.now());
  };
}

function sinceWhen(agent: Agent): number {
  return agent.status === 'killing' ? agent.kill.requestedAt : (agent.startedAt ?? agent.spawnedAt);
}
