import { describe, expect, it } from 'vitest';
import type { Agent, AgentStatus, Handle } from './agent.ts';
import { agentSchema, maxHandles } from './agent.ts';
import { type LifecycleEvent, transition } from './lifecycle.ts';

const handle = { runtime: 'memory', id: 1 };
const base = {
  agentId: 'a',
  taskId: 't',
  sessionIds: [],
  workspaceId: 'w',
  ownerId: 'o',
  backendId: 'b',
  lineage: [],
  hostId: 'h',
  revision: 3,
  handles: [handle],
  resources: [],
  ledger: [],
  spawnedAt: 1,
};
const kill = { orderIds: ['o1'], statusBefore: 'running' as const, requestedAt: 2, errors: [] };
const agents: Record<AgentStatus, Agent> = {
  spawning: { ...base, handles: [], status: 'spawning' },
  running: { ...base, status: 'running' },
  killing: { ...base, status: 'killing', kill },
  killed: { ...base, status: 'killed', kill: { ...kill, confirmedAt: 5, evidence: 'gone' }, completedAt: 5 },
  completed: { ...base, status: 'completed', completedAt: 5 },
  failed: { ...base, status: 'failed', completedAt: 5, error: 'x' },
};
const events: Record<string, LifecycleEvent> = {
  running: { type: 'running', at: 9, handles: [{ runtime: 'memory', id: 2 }] },
  completed: { type: 'completed', at: 9 },
  failed: { type: 'failed', at: 9, error: 'boom' },
  claim: { type: 'claim', at: 9, orderId: 'o2' },
  unconfirmed: {
    type: 'unconfirmed',
    at: 9,
    progress: { signalledAt: 3, errors: ['e'] },
    evidence: 'still there',
  },
  confirmed: {
    type: 'confirmed',
    at: 9,
    progress: { signalledAt: 3, forcedAt: 4, errors: [] },
    evidence: 'gone',
    handles: 1,
  },
};

/** What every event does in every status: the next status, `=` for no change at all, `!` for an invalid transition. */
const table: Record<AgentStatus, Record<string, string>> = {
  spawning: {
    running: 'running',
    completed: 'completed',
    failed: 'failed',
    claim: 'killing',
    unconfirmed: '!',
    confirmed: '!',
  },
  running: {
    running: 'running',
    completed: 'completed',
    failed: 'failed',
    claim: 'killing',
    unconfirmed: '!',
    confirmed: '!',
  },
  killing: {
    running: 'killing',
    completed: '=',
    failed: '=',
    claim: 'killing',
    unconfirmed: 'killing',
    confirmed: 'killed',
  },
  killed: { running: '=', completed: '=', failed: '=', claim: '=', unconfirmed: '=', confirmed: '=' },
  completed: { running: '=', completed: '=', failed: '=', claim: '=', unconfirmed: '!', confirmed: '!' },
  failed: { running: '=', completed: '=', failed: '=', claim: '=', unconfirmed: '!', confirmed: '!' },
};

describe.each(Object.keys(table) as AgentStatus[])('I2, I3: a %s agent', (status) => {
  it.each(Object.entries(table[status]))('on %s becomes %s', (name, expected) => {
    const agent = agents[status];
    const before = structuredClone(agent);
    if (expected === '!') {
      expect(() => transition(agent, events[name]!)).toThrow(
        expect.objectContaining({ code: 'invalid-transition' }),
      );
    } else {
      const [next] = transition(agent, events[name]!);
      if (expected === '=') expect(next).toBe(agent);
      else expect(next).toMatchObject({ status: expected, revision: agent.revision + 1 });
      expect(agentSchema.parse(next)).toEqual(next);
    }
    expect(agent).toEqual(before);
  });
});

describe('transition', () => {
  it('keeps a ledger only of what has ended: a cleanup that is told too early is run again', () => {
    const cleaned = { type: 'cleaned', ledger: [{ step: 'worktree', status: 'done', tries: 1 }] } as const;
    for (const status of ['spawning', 'running', 'killing'] as const)
      expect(() => transition(agents[status], cleaned)).toThrow(/cannot be cleaned up yet/);
    for (const status of ['killed', 'completed', 'failed'] as const)
      expect(transition(agents[status], cleaned)[0]).toMatchObject({ status, ledger: cleaned.ledger });
  });

  it('I4: a step that is done stays done, whatever a copy that is out of date says of it', () => {
    const done = { step: 'worktree', status: 'done', tries: 1 } as const;
    const late = { step: 'worktree', status: 'failed', tries: 2, error: 'gone', retryAt: 9 } as const;
    const other = { step: 'container', status: 'failed', tries: 3, error: 'busy', retryAt: 9 } as const;
    const ended = { ...agents.killed, ledger: [done, { ...other, tries: 1, retryAt: 5 }] };
    const [next] = transition(ended, { type: 'cleaned', ledger: [late, other] });
    expect(next.ledger).toEqual([done, other]);
    expect(next.revision).toBe(ended.revision + 1);
  });

  it('failed steps are due again when that is asked for, the others are left alone, and nothing is no change', () => {
    const done = { step: 'worktree', status: 'done', tries: 1 } as const;
    const failed = { step: 'container', status: 'failed', tries: 3, error: 'busy', retryAt: 90 } as const;
    const never = { step: 'branch', status: 'failed', tries: 1, error: 'no such step' } as const;
    const ended = { ...agents.completed, ledger: [done, failed, never] };
    const [next, effects] = transition(ended, { type: 'clean-up-again', at: 7 });
    expect(next).toEqual({
      ...ended,
      revision: ended.revision + 1,
      ledger: [done, { ...failed, retryAt: 7 }, { ...never, retryAt: 7 }],
    });
    expect(effects).toEqual([]);
    expect(transition(next, { type: 'clean-up-again', at: 7 })).toEqual([next, []]);
    expect(transition(next, { type: 'clean-up-again', at: 7 })[0]).toBe(next);
    expect(() => transition(agents.running, { type: 'clean-up-again', at: 7 })).toThrow(
      'cannot be cleaned up yet',
    );
  });

  it('adds no handle twice, so that a report told again leaves nothing new to observe', () => {
    const told = { type: 'running', at: 9, handles: [{ ...handle }] } as const;
    const [again, effects] = transition(agents.killing, told);
    expect(again).toBe(agents.killing);
    expect(effects).toEqual([{ type: 'pursue' }]);
    expect(transition(again, events.confirmed!)[0].status).toBe('killed');
  });

  it('destroys what a handle reaches that is one too many, and takes as many as there is room for (I1)', () => {
    const ids = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, n) => ({ runtime: 'memory', id: from + n }));
    const told = (handles: Handle[]): LifecycleEvent => ({ type: 'running', at: 9, handles });
    for (const status of ['running', 'killing'] as const) {
      const pursue = status === 'killing' ? [{ type: 'pursue' }] : [];
      const [full, effects] = transition(agents[status], told(ids(2, maxHandles)));
      expect(full.handles).toEqual(ids(1, maxHandles));
      expect(effects).toEqual(pursue);
      const more = ids(maxHandles + 1, maxHandles + 1);
      expect(transition(full, told(more))).toEqual([full, [...pursue, { type: 'destroy', handles: more }]]);
    }
  });

  it('pursues on claim, on a late handle, and looks again when its host says it ended', () => {
    for (const [status, event] of [
      ['running', 'claim'],
      ['spawning', 'claim'],
      ['killing', 'claim'],
      ['killing', 'running'],
      ['killing', 'completed'],
    ] as const) {
      expect(transition(agents[status], events[event]!)[1]).toEqual([{ type: 'pursue' }]);
    }
  });

  it('cleans up after every end, whoever brought it about', () => {
    for (const [status, event] of [
      ['running', 'completed'],
      ['running', 'failed'],
      ['spawning', 'failed'],
      ['killing', 'confirmed'],
    ] as const) {
      expect(transition(agents[status], events[event]!)[1]).toEqual([{ type: 'clean-up' }]);
    }
  });

  it('looks again when an order that has it claims it again', () => {
    const again = transition(agents.killing, { type: 'claim', at: 9, orderId: 'o1' });
    expect(again).toEqual([agents.killing, [{ type: 'pursue' }]]);
  });

  it('keeps of a kill what was done and seen, and no times of what was not', () => {
    const seen = { type: 'unconfirmed', at: 9, progress: { errors: ['e'] }, evidence: 'x' } as const;
    const [next] = transition(agents.killing, seen);
    const expected = { ...kill, evidence: 'x', errors: ['e'], unconfirmedAt: 9 };
    expect('kill' in next && next.kill).toStrictEqual(expected);
    const [told] = transition(next, { ...seen, progress: { signalledAt: 3, forcedAt: 4, errors: [] } });
    expect('kill' in told && told.kill).toStrictEqual({ ...expected, signalledAt: 3, forcedAt: 4 });
    expect(transition(told, seen)[0]).toMatchObject({ kill: { signalledAt: 3, forcedAt: 4, errors: ['e'] } });
  });

  it('destroys what arrives after the record was closed', () => {
    expect(transition(agents.killed, events.running!)[1]).toEqual([
      { type: 'destroy', handles: [{ runtime: 'memory', id: 2 }] },
    ]);
  });

  it('I3: does not confirm a death that was observed before the newest handle came', () => {
    const [grown] = transition(agents.killing, {
      type: 'running',
      at: 9,
      handles: [{ runtime: 'memory', id: 2 }],
    });
    expect(grown.handles).toHaveLength(2);
    const [next, effects] = transition(grown, events.confirmed!);
    expect(next).toBe(grown);
    expect(effects).toEqual([{ type: 'pursue' }]);
  });

  it('I3: the end of an agent that has no handle yet is evidence, of one that has it is not', () => {
    const [claimed] = transition(agents.spawning, events.claim!);
    expect(transition(claimed, events.failed!)[0]).toMatchObject({
      status: 'killed',
      kill: { confirmedAt: 9, evidence: 'its host reported its end before it had any handle' },
    });
    expect(transition(agents.killing, events.failed!)[0].status).toBe('killing');
  });

  it('I7: joins a second order to the kill under way, once', () => {
    const [joined] = transition(agents.killing, events.claim!);
    expect(joined).toMatchObject({ kill: { orderIds: ['o1', 'o2'] } });
    expect(transition(joined, events.claim!)[0]).toBe(joined);
  });

  it('keeps the first time it was unconfirmed, and at most 20 distinct errors', () => {
    const [once] = transition(agents.killing, events.unconfirmed!);
    const errors = Array.from({ length: 30 }, (_, i) => `e${i % 25}`);
    const [twice] = transition(once, { type: 'unconfirmed', at: 50, progress: { errors }, evidence: 'x' });
    expect(twice).toMatchObject({ kill: { unconfirmedAt: 9, evidence: 'x' } });
    expect('kill' in twice && twice.kill.errors).toHaveLength(20);
    expect(transition(twice, { ...events.confirmed!, at: 60 } as LifecycleEvent)[0]).toMatchObject({
      status: 'killed',
      kill: { unconfirmedAt: 9, confirmedAt: 60 },
    });
  });
});
