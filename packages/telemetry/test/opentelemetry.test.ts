/** Traces of stops, as OpenTelemetry's own SDK exports them. */
import type { StateStore } from '@agent-killswitch/core';
import { memoryState } from '@agent-killswitch/core/memory';
import { context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import { traceStops } from '../src/opentelemetry/index.ts';
import { root, site } from './support/site.ts';

function exporting() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const of = (name: string, agentId?: string): ReadableSpan[] =>
    exporter
      .getFinishedSpans()
      .filter(
        (span) =>
          span.name === name && (agentId === undefined || span.attributes['killswitch.agent.id'] === agentId),
      );
  return { tracer: provider.getTracer('test'), exporter, of };
}

const request = { principal: root, reason: 'it fills the disk' };
const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6;

test('a stop is a span, with one below it per agent, and every agent has one of its life', async () => {
  const { ks, agent, passing, runtime } = await site();
  const { tracer, exporter, of } = exporting();
  const end = traceStops(ks, { tracer });
  await agent('soft', 'cooperative', 't');
  await agent('hard', 'stubborn', 't');
  await ks.admit({ agentId: 'done', taskId: 't', workspaceId: 'w', ownerId: 'mia' });
  const handle = runtime.spawn();
  await ks.running('done', [handle]);
  runtime.end(handle);
  expect(await ks.completed('done')).toBe(true);
  const report = await passing(ks.kill({ task: 't' }, request));
  expect(report).toMatchObject({ settled: true, killed: 2 });

  const [stop, ...others] = of('stop task');
  expect(others).toEqual([]);
  expect(stop?.attributes).toEqual({
    'killswitch.order.id': report.orderId,
    'killswitch.scope': 'task:t',
    'killswitch.operation': 'kill-task',
    'killswitch.reason': request.reason,
    'enduser.id': 'root',
  });
  expect(ms(stop?.startTime ?? [0, 0])).toBe(report.requestedAt);
  expect(ms(stop?.endTime ?? [0, 0])).toBe(report.settledAt);
  expect(stop?.events.map(({ name }) => name)).toEqual(['requested']);
  for (const agentId of ['soft', 'hard']) {
    const [kill] = of('kill agent', agentId);
    expect(kill?.parentSpanContext?.spanId).toBe(stop?.spanContext().spanId);
    expect(kill?.spanContext().traceId).toBe(stop?.spanContext().traceId);
    expect(kill?.status.code).toBe(SpanStatusCode.UNSET);
    const { confirmedAt } = report.outcomes.find((outcome) => outcome.agentId === agentId) ?? {};
    expect(ms(kill?.endTime ?? [0, 0])).toBe(confirmedAt);
  }
  expect([...new Set(of('kill agent', 'hard')[0]?.events.map(({ name }) => name))]).toEqual([
    'signalled',
    'forced',
  ]);
  const lives = ['soft', 'hard', 'done'].map(
    (agentId) => of('agent', agentId)[0]?.attributes['killswitch.agent.status'],
  );
  expect(lives).toEqual(['killed', 'killed', 'completed']);
  expect(of('agent', 'hard')[0]?.events.map(({ name }) => name)).toEqual(['running', 'killing']);
  end();
  const ended = exporter.getFinishedSpans().length;
  await agent('later');
  await passing(ks.kill({ agent: 'later' }, request));
  expect(exporter.getFinishedSpans()).toHaveLength(ended);
});

test('an agent that is not observed dead in time makes its span an error, which ends when it is', async () => {
  const { ks, passing, runtime, clock } = await site();
  const { tracer, of } = exporting();
  traceStops(ks, { tracer });
  await ks.admit({ agentId: 'undead', taskId: 't', workspaceId: 'w', ownerId: 'mia' });
  const handle = runtime.spawn('immortal');
  await ks.running('undead', [handle]);
  expect(await passing(ks.kill({ agent: 'undead' }, request))).toMatchObject({ settled: false, failed: 1 });
  await clock.advance(100);
  expect(of('kill agent')).toEqual([]);
  runtime.end(handle);
  await clock.advance(5_000);
  const [kill] = of('kill agent');
  expect(kill?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'not observed dead in time' });
  expect(ms(kill?.endTime ?? [0, 0]) - ms(kill?.startTime ?? [0, 0])).toBeGreaterThan(5_000);
});

test("the kill of an agent that never ran ends with its host's word", async () => {
  const { ks, passing } = await site();
  const { tracer, of } = exporting();
  traceStops(ks, { tracer });
  await ks.admit({ agentId: 'unborn', taskId: 't', workspaceId: 'w', ownerId: 'mia' });
  const kill = ks.kill({ task: 't' }, { ...request, waitMs: 100 });
  await passing(kill);
  expect(of('kill agent')).toEqual([]);
  await ks.failed('unborn', new Error('no image'));
  expect(of('kill agent')).toHaveLength(1);
  expect(of('agent')).toHaveLength(1);
});

test('a stop that joins one under way has a span that ends there and names it', async () => {
  const { ks, agent, clock, passing } = await site();
  const { tracer, of } = exporting();
  traceStops(ks, { tracer });
  await agent('a', 'stubborn', 't');
  const first = ks.kill({ task: 't' }, request);
  await clock.advance(200);
  const all = Promise.all([first, ks.kill({ task: 't' }, request), ks.kill({ task: 't' }, request)]);
  await clock.advance(1);
  const joined = of('stop task');
  const [{ orderId }] = await passing(all);
  expect(joined).toHaveLength(2);
  for (const stop of joined) {
    expect(stop.attributes['killswitch.joined.order.id']).toBe(orderId);
    expect(stop.events.map(({ name }) => name)).toEqual(['joined']);
  }
  expect(of('stop task')).toHaveLength(3);
});

test('a stop that the store could not take, and that joins another host when it can, has a span that ends', async () => {
  const state = memoryState();
  let isDown = false;
  const cut = new Proxy(state, {
    get(target, name) {
      const member = Reflect.get(target, name) as ((...args: unknown[]) => unknown) | undefined;
      if (member === undefined) return undefined;
      return (...args: unknown[]) =>
        isDown && name !== 'watch' ? Promise.reject(new Error('down')) : member.apply(target, args);
    },
  }) as StateStore;
  const { ks, clock, passing, agent } = await site({ state: cut });
  const other = await site({ state, clock, hostId: 'host-2' });
  const { tracer, of } = exporting();
  traceStops(ks, { tracer });
  await agent('mine', 'cooperative', 't');
  await other.agent('theirs', 'immortal', 't');
  isDown = true;
  await passing(Promise.all([ks, ks, other.ks].map((each) => each.kill({ task: 't' }, request))));
  isDown = false;
  await clock.advance(10_000);
  expect(of('stop task').map(({ attributes }) => 'killswitch.joined.order.id' in attributes)).toEqual([
    true,
    true,
  ]);
});

test('a tracer that throws whenever it is called changes nothing (I5)', async () => {
  const { ks, agent, passing } = await site();
  let calls = 0;
  const broken = {
    startSpan(): Span {
      calls += 1;
      throw new Error('the exporter is gone');
    },
    startActiveSpan(): never {
      throw new Error('not used');
    },
  };
  traceStops(ks, { tracer: broken });
  await agent('a', 'stubborn');
  expect(await passing(ks.kill({ task: 'task-a' }, request))).toMatchObject({ settled: true, killed: 1 });
  expect(calls).toBeGreaterThan(2);
});

test('ending it ends what is open; without an SDK nothing happens', async () => {
  const { ks, agent, passing } = await site();
  const { tracer, of } = exporting();
  const end = traceStops(ks, { tracer });
  traceStops(ks);
  await agent('a');
  expect(of('agent')).toEqual([]);
  end();
  expect(of('agent')).toHaveLength(1);
  expect(trace.getSpan(context.active()) ?? trace.getSpan(ROOT_CONTEXT)).toBeUndefined();
  expect(await passing(ks.kill({ agent: 'a' }, request))).toMatchObject({ killed: 1 });
});
