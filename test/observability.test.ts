/** The snippet of docs/observability.md is a file that is compiled, and run here with a tracer of the test's own. */
import { readFile } from 'node:fs/promises';
import { createKillswitch, type Killswitch, type StopStep } from '@agent-killswitch/core';
import {
  type MemoryBehaviour,
  type MemoryRuntime,
  memoryAudit,
  memoryRuntime,
  memoryState,
} from '@agent-killswitch/core/memory';
import { expect, onTestFinished, test } from 'vitest';
import { traceStops } from './support/trace-stops.ts';

/** A span that keeps what is done to it, as an SDK's in-memory exporter would. */
class KeptSpan {
  readonly name: string;
  readonly startTime: number;
  readonly attributes: Record<string, string>;
  readonly parent: KeptSpan | undefined;
  readonly events: Array<{ name: string; time: number }> = [];
  status = 0;
  endTime: number | undefined;

  constructor(name: string, startTime: number, attributes: Record<string, string>, parent?: KeptSpan) {
    this.name = name;
    this.startTime = startTime;
    this.attributes = { ...attributes };
    this.parent = parent;
  }
  addEvent(name: string, time: number): void {
    if (this.endTime !== undefined) throw new Error(`event ${name} after the end of ${this.name}`);
    this.events.push({ name, time });
  }
  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }
  setStatus({ code }: { code: number }): void {
    this.status = code;
  }
  end(time: number): void {
    if (this.endTime !== undefined) throw new Error(`${this.name} ends twice`);
    this.endTime = time;
  }
}

function keeper() {
  const spans: KeptSpan[] = [];
  return {
    spans,
    startSpan(
      name: string,
      { startTime, attributes }: { startTime: number; attributes: Record<string, string> },
      context?: { readonly parent: KeptSpan },
    ) {
      const span = new KeptSpan(name, startTime, attributes, context?.parent);
      spans.push(span);
      return span;
    },
    of: (name: string, agentId?: string) =>
      spans.filter(
        (span) =>
          span.name === name && (agentId === undefined || span.attributes['killswitch.agent.id'] === agentId),
      ),
  };
}

async function started(runtime: MemoryRuntime): Promise<Killswitch> {
  const ks = createKillswitch({
    hostId: 'node-1',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
    deadlines: { forceAfter: 40, confirmWithin: 150 },
  });
  onTestFinished(() => ks.close());
  await ks.start();
  return ks;
}

async function admitted(ks: Killswitch, runtime: MemoryRuntime, agentId: string, behaviour: MemoryBehaviour) {
  await ks.admit({ agentId, taskId: 't', workspaceId: 'w', ownerId: 'ada' });
  const handle = runtime.spawn(behaviour);
  await ks.running(agentId, [handle]);
  return handle;
}

const request = {
  principal: { id: 'ada', kind: 'user' as const, grants: [{ role: 'super-admin' as const }] },
  reason: 'it fills the disk',
};
const under = (parent: KeptSpan) => ({ parent });

/** Resolves when a stop takes this step; a listener added later hears it later. */
function told(ks: Killswitch, wanted: StopStep): Promise<void> {
  return new Promise((resolve) => {
    ks.on('step', ({ step }) => step === wanted && resolve());
  });
}

test('the document shows the snippet as it is run', async () => {
  const document = await readFile(new URL('../docs/observability.md', import.meta.url), 'utf8');
  const snippet = await readFile(new URL('support/trace-stops.ts', import.meta.url), 'utf8');
  expect(/test\/observability\.test\.ts runs\. -->\n```ts\n(.*?)```/s.exec(document)?.[1]).toBe(snippet);
});

test('a stop is a span, with one below it per agent, and every agent has one of its life', async () => {
  const runtime = memoryRuntime();
  const ks = await started(runtime);
  const tracer = keeper();
  const end = traceStops(ks, tracer, under);
  await admitted(ks, runtime, 'soft', 'cooperative');
  await admitted(ks, runtime, 'hard', 'stubborn');
  runtime.end(await admitted(ks, runtime, 'done', 'cooperative'));
  expect(await ks.completed('done')).toBe(true);
  const report = await ks.kill({ task: 't' }, request);
  expect(report).toMatchObject({ settled: true, killed: 2 });

  const [stop, ...others] = tracer.of('stop task:t');
  expect(others).toEqual([]);
  expect(stop).toMatchObject({
    startTime: report.requestedAt,
    attributes: {
      'killswitch.order.id': report.orderId,
      'enduser.id': 'ada',
      'killswitch.reason': request.reason,
    },
    events: [{ name: 'requested' }],
    endTime: expect.any(Number),
  });
  expect(tracer.of('kill agent')).toHaveLength(2);
  const [soft, hard] = ['soft', 'hard'].map((agentId) => tracer.of('kill agent', agentId)[0]);
  for (const kill of [soft, hard]) {
    expect(kill?.parent).toBe(stop);
    expect(kill?.endTime).toBeLessThanOrEqual(stop?.endTime ?? 0);
    expect(kill?.status).toBe(0);
  }
  expect(soft?.events.map(({ name }) => name)).toEqual(['signalled']);
  expect([...new Set(hard?.events.map(({ name }) => name))]).toEqual(['signalled', 'forced']);
  const lives = ['soft', 'hard', 'done'].map((agentId) => tracer.of('agent', agentId)[0]);
  expect(lives.map((life) => life?.attributes['killswitch.agent.status'])).toEqual([
    'killed',
    'killed',
    'completed',
  ]);
  expect(lives[1]?.events.map(({ name }) => name)).toEqual(['running', 'killing']);
  expect(tracer.spans.filter(({ endTime }) => endTime === undefined)).toEqual([]);
  end();
  await admitted(ks, runtime, 'later', 'cooperative').catch(() => undefined);
  expect(tracer.of('agent')).toHaveLength(3);
});

test('an agent that is not observed dead in time makes its span an error, which ends when it is', async () => {
  const runtime = memoryRuntime();
  const ks = await started(runtime);
  const tracer = keeper();
  traceStops(ks, tracer, under);
  const handle = await admitted(ks, runtime, 'undead', 'immortal');
  const [unconfirmed, confirmed] = [told(ks, 'unconfirmed'), told(ks, 'confirmed')];
  expect(await ks.kill({ agent: 'undead' }, request)).toMatchObject({ settled: false, failed: 1 });
  await unconfirmed;
  const [kill] = tracer.of('kill agent');
  expect(kill).toMatchObject({ status: 2, endTime: undefined });
  runtime.end(handle);
  await confirmed;
  expect(kill?.endTime).toBeGreaterThanOrEqual(kill?.startTime ?? Number.POSITIVE_INFINITY);
});

test('a tracer that throws whenever it is called changes nothing (I5)', async () => {
  const runtime = memoryRuntime();
  const ks = await started(runtime);
  let calls = 0;
  const broken = {
    startSpan(): KeptSpan {
      calls += 1;
      throw new Error('the exporter is gone');
    },
  };
  traceStops(ks, broken, under);
  const handle = await admitted(ks, runtime, 'a', 'stubborn');
  expect(await ks.kill({ task: 't' }, request)).toMatchObject({ settled: true, killed: 1 });
  expect(runtime.isAlive(handle)).toBe(false);
  expect(calls).toBeGreaterThan(2);
});

test('ending it ends what is open', async () => {
  const runtime = memoryRuntime();
  const ks = await started(runtime);
  const tracer = keeper();
  const end = traceStops(ks, tracer, under);
  await admitted(ks, runtime, 'a', 'cooperative');
  expect(tracer.of('agent')[0]?.endTime).toBeUndefined();
  end();
  expect(tracer.of('agent')[0]?.endTime).toBeGreaterThan(0);
});
