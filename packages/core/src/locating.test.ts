import { describe, expect, it } from 'vitest';
import type { Handle } from './agent.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import type { Runtime } from './ports/runtime.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill', waitMs: 0 };
const newcomer = { agentId: 'a1', taskId: 't', workspaceId: 'w1', ownerId: 'alice' };

/** A host that was stopped and died before it could say how to reach its agent, in its next life with these runtimes. */
async function nextLife(runtimes: Record<string, Runtime>, hostId = 'host-1') {
  const state = memoryState();
  const first = await harness({ state });
  await first.ks.admit(newcomer);
  await first.ks.kill({ task: 't' }, request);
  await first.clock.advance(300);
  await first.ks.close();
  await first.clock.advance(700);
  const { clock, audit } = first;
  const next = await harness({ state, audit, clock, runtimes, hostId });
  return { ks: next.ks, clock, audit };
}

/** A runtime that can be asked where an agent is, and what it was asked. */
function asked(answer: (times: number) => Promise<readonly Handle[]>) {
  const memory = memoryRuntime();
  const questions: string[] = [];
  const locate = (agentId: string): Promise<readonly Handle[]> => {
    questions.push(agentId);
    return answer(questions.length);
  };
  const runtime: Runtime = { ...memory, reach: 'machine', locate };
  return { memory, runtime, questions };
}

describe('an agent whose host died before it said how to reach it', () => {
  it('is dead where no runtime that could know of it finds it', async () => {
    const { runtime } = asked(async () => []);
    const { ks, clock } = await nextLife({ memory: runtime, threads: { ...memoryRuntime('threads') } });
    await clock.advance(100);
    expect(await ks.agent('a1')).toMatchObject({ status: 'killed' });
  });

  it('I3: is not dead as long as one runtime cannot be asked, and is named', async () => {
    const { runtime } = asked(async () => []);
    const mute: Runtime = { ...memoryRuntime('mute'), reach: 'network' };
    const { ks, clock, audit } = await nextLife({ mute, memory: runtime });
    await clock.advance(10_000);
    expect(await ks.agent('a1')).toMatchObject({
      status: 'killing',
      kill: { evidence: 'host host-1 is starting it and has not said how to reach it' },
    });
    expect(audit.events().filter(({ type }) => type === 'agent.killed')).toEqual([]);
  });

  it('is asked for again where a runtime fails to say, and killed where it was found', async () => {
    const { memory, runtime, questions } = asked(async (times) => {
      if (times < 3) throw new Error('engine not up yet');
      return [handle];
    });
    const handle = memory.spawn('stubborn');
    const { ks, clock } = await nextLife({ memory: runtime });
    await clock.advance(5_000);
    expect(memory.isAlive(handle)).toBe(false);
    expect(questions).toEqual(['a1', 'a1', 'a1']);
    expect(await ks.agent('a1')).toMatchObject({
      status: 'killed',
      kill: { errors: ['Error: engine not up yet'] },
    });
  });

  it('is asked for again however often a runtime throws before it could answer', async () => {
    const { runtime, questions } = asked((times) => {
      if (times < 7) throw new Error('not connected');
      return Promise.resolve([]);
    });
    const { ks, clock } = await nextLife({ memory: runtime });
    await clock.advance(5_000);
    expect(questions).toHaveLength(7);
    expect(await ks.agent('a1')).toMatchObject({ status: 'killed' });
  });

  it('I12: few questions are left open at a runtime that never answers, one more every 30 s', async () => {
    const { runtime, questions } = asked(() => new Promise<never>(() => undefined));
    const { ks, clock } = await nextLife({ memory: runtime });
    await clock.advance(25_000);
    expect(questions).toHaveLength(3);
    await clock.advance(30_000);
    expect(questions).toHaveLength(4);
    expect(await ks.agent('a1')).toMatchObject({
      status: 'killing',
      kill: {
        errors: [
          'DeadlineError: location by memory did not answer within 1000 ms',
          'Error: memory has not said yet where it is',
        ],
      },
    });
  });

  it('is none of another host’s: that one asks nobody', async () => {
    const { runtime, questions } = asked(async () => []);
    const { ks, clock } = await nextLife({ memory: runtime }, 'host-2');
    await clock.advance(10_000);
    expect(questions).toEqual([]);
    expect(await ks.agent('a1')).toMatchObject({ status: 'killing' });
  });
});

it('an agent of this life of its host is not looked for: its handle is on the way', async () => {
  const { memory, runtime, questions } = asked(async () => []);
  const h = await harness({ runtimes: { memory: runtime } });
  await h.ks.admit(newcomer);
  const kill = h.ks.kill({ task: 't' }, { principal: root, reason: 'drill' });
  await h.clock.advance(3_000);
  expect(questions).toEqual([]);
  const handle = memory.spawn();
  await h.ks.running('a1', [handle]);
  expect(await h.during(1_000, kill)).toMatchObject({ settled: true, killed: 1 });
  expect(memory.isAlive(handle)).toBe(false);
});
