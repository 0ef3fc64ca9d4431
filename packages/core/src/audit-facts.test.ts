import { describe, expect, it } from 'vitest';
import type { Agent, KilledAgent, KillingAgent } from './agent.ts';
import { iso } from './audit-event.ts';
import {
  agentKilled,
  agentUnconfirmed,
  cleanupFinished,
  gateReleased,
  gateSeenReleased,
  orderJoined,
  orderRequested,
  orderSettled,
} from './audit-facts.ts';
import { factId } from './ids.ts';
import type { StopOrder } from './order.ts';

const at = Date.UTC(2026, 0, 2);
const principal = { id: 'ada', kind: 'user' as const };
const order: StopOrder = {
  orderId: 'ord',
  revision: 3,
  hostId: 'host-1',
  scope: { task: 't' },
  workspaceId: 'w',
  ownerId: 'alice',
  opens: 'never',
  principal,
  reason: 'rogue',
  policyVersion: 'p/1',
  requestedAt: at,
  killAt: at,
  forceAt: at + 2_000,
  deadlineAt: at + 5_000,
};
const everything: StopOrder = { ...order, scope: { everything: true }, opens: 'on-release' };
delete everything.workspaceId;
delete everything.ownerId;

const ofOrder = {
  version: 1,
  hostId: 'host-2',
  workspaceId: 'w',
  operation: 'kill-task',
  scope: { task: 't' },
  principal,
  reason: 'rogue',
  policyVersion: 'p/1',
  orderId: 'ord',
};

const killing: KillingAgent = {
  agentId: 'a',
  taskId: 't',
  sessionIds: ['s'],
  workspaceId: 'w',
  ownerId: 'alice',
  backendId: 'b',
  lineage: [],
  hostId: 'host-1',
  revision: 2,
  handles: [],
  resources: [],
  ledger: [],
  spawnedAt: at - 9,
  status: 'killing',
  kill: { orderIds: ['ord', 'other'], statusBefore: 'running', requestedAt: at + 1, errors: ['late'] },
};
const killed = (kill: Partial<KilledAgent['kill']>): KilledAgent => ({
  ...killing,
  status: 'killed',
  completedAt: at + 7,
  kill: { ...killing.kill, ...kill },
});

const ofKill = {
  ...ofOrder,
  agentId: 'a',
  taskId: 't',
  sessionIds: ['s'],
  ownerId: 'alice',
  backendId: 'b',
  bulk: true,
  statusBefore: 'running',
  errors: ['late'],
  requestedAt: iso(at + 1),
};

describe('what follows from an order', () => {
  it('is its request, with all that a restart needs to put it back', () => {
    expect(orderRequested(order, 'host-2')).toEqual({
      ...ofOrder,
      id: factId(at, 'order.requested:ord'),
      type: 'order.requested',
      time: iso(at),
      ownerId: 'alice',
      opens: 'never',
      killAt: iso(at),
      forceAt: iso(at + 2_000),
      deadlineAt: iso(at + 5_000),
    });
    const wide = orderRequested(everything, 'host-2');
    expect(wide).toMatchObject({ operation: 'emergency-stop', opens: 'on-release' });
    expect(Object.keys(wide)).not.toContain('workspaceId');
    expect(Object.keys(wide)).not.toContain('ownerId');
  });

  it('is what it joined', () => {
    expect(orderJoined(order, { ...order, orderId: 'first' }, 'host-2')).toEqual({
      ...ofOrder,
      id: factId(at, 'order.joined:ord'),
      type: 'order.joined',
      time: iso(at),
      joinedOrderId: 'first',
    });
  });

  it('is its settlement', () => {
    expect(orderSettled(order, 'host-2', at + 8, 4, 3)).toEqual({
      ...ofOrder,
      id: factId(at, 'order.settled:ord'),
      type: 'order.settled',
      time: iso(at + 8),
      total: 4,
      killed: 3,
    });
  });

  it('is the opening of its gate, under an id of the release and without a policy of its own', () => {
    const requested = {
      id: 'x',
      version: 1 as const,
      time: iso(at),
      hostId: 'host-1',
      type: 'release.requested' as const,
      releaseId: 'rel',
      scope: { everything: true as const },
      principal,
      reason: 'fixed',
      policyVersion: 'p/1',
      orderIds: ['ord', 'gone'],
    };
    const { policyVersion: _, ...rest } = requested;
    expect(gateReleased(requested, at + 5, ['ord'], [principal])).toEqual({
      ...rest,
      id: factId(at, 'gate.released:rel'),
      type: 'gate.released',
      time: iso(at + 5),
      orderIds: ['ord'],
      approvedBy: [principal],
    });
  });

  it('is the same opening where another host sees it in the store, of all orders that one release has opened', () => {
    const request = { at: at - 7, principal, reason: 'fixed' };
    const released = { releaseId: 'rel', at: at + 5, approvedBy: [principal], request };
    const opened = { ...everything, released };
    const fact = {
      id: factId(at - 7, 'gate.released:rel'),
      version: 1,
      time: iso(at + 5),
      hostId: 'host-2',
      type: 'gate.released',
      releaseId: 'rel',
      scope: { everything: true },
      principal,
      reason: 'fixed',
      orderIds: ['ord', 'other'],
      approvedBy: [principal],
    };
    expect(gateSeenReleased([opened, { ...opened, orderId: 'other' }], 'host-2')).toEqual(fact);
    const held = { ...order, scope: { workspace: 'w' }, opens: 'on-release' as const, released };
    expect(gateSeenReleased([held], 'host-2')).toEqual({
      ...fact,
      scope: { workspace: 'w' },
      workspaceId: 'w',
      orderIds: ['ord'],
    });
  });

  it('is none of orders that are not released, or that do not say who asked', () => {
    const released = { releaseId: 'rel', at, approvedBy: [principal] };
    for (const orders of [[], [everything], [{ ...everything, released }]])
      expect(gateSeenReleased(orders, 'host-2')).toBeUndefined();
  });
});

describe('what follows from a kill', () => {
  it('is the death, with its times and its evidence', () => {
    const agent = killed({ signalledAt: at + 2, forcedAt: at + 3, confirmedAt: at + 4, evidence: 'gone' });
    expect(agentKilled(order, agent, 'host-2')).toEqual({
      ...ofKill,
      id: factId(at - 9, 'agent.killed:a'),
      type: 'agent.killed',
      time: iso(at + 4),
      forced: true,
      evidence: 'gone',
      signalledAt: iso(at + 2),
      forcedAt: iso(at + 3),
      confirmedAt: iso(at + 4),
    });
  });

  it('is the death of one that was never told to die, in a kill of it alone', () => {
    const event = agentKilled({ ...order, scope: { agent: 'a' } }, killed({}), 'host-2');
    expect(event).toEqual({
      ...ofKill,
      operation: 'kill-agent',
      scope: { agent: 'a' },
      bulk: false,
      id: factId(at - 9, 'agent.killed:a'),
      type: 'agent.killed',
      time: iso(at),
      forced: false,
      evidence: '',
      confirmedAt: iso(at),
    });
  });

  it('is that nobody saw it dead in time', () => {
    const late = { ...killing, kill: { ...killing.kill, unconfirmedAt: at + 6, evidence: 'alive' } };
    expect(agentUnconfirmed(order, late, 'host-2')).toEqual({
      ...ofKill,
      id: factId(at - 9, 'agent.unconfirmed:a'),
      type: 'agent.unconfirmed',
      time: iso(at + 6),
      forced: false,
      evidence: 'alive',
      unconfirmedAt: iso(at + 6),
    });
    expect(agentUnconfirmed(order, killing, 'host-2').time).toBe(iso(order.deadlineAt));
  });
});

describe('what follows from a cleanup', () => {
  const finished = {
    id: factId(at - 9, 'cleanup.finished:a/worktree/failed'),
    version: 1,
    time: iso(at + 9),
    hostId: 'host-2',
    workspaceId: 'w',
    type: 'cleanup.finished',
    agentId: 'a',
    taskId: 't',
    step: 'worktree',
    status: 'failed',
    tries: 3,
  };

  it('is its result, for the order that claimed the agent, if one did', () => {
    const failed = { step: 'worktree', status: 'failed' as const, tries: 3, error: 'busy' };
    expect(cleanupFinished(killed({}), failed, 'host-2', at + 9)).toEqual({
      ...finished,
      orderId: 'ord',
      error: 'busy',
    });
    const { kill: _, ...rest } = killing;
    const completed: Agent = { ...rest, status: 'completed', completedAt: at };
    const done = { step: 'worktree', status: 'done' as const, tries: 1 };
    const event = cleanupFinished(completed, done, 'host-2', at + 9);
    const id = factId(at - 9, 'cleanup.finished:a/worktree/done');
    expect(event).toEqual({ ...finished, id, status: 'done', tries: 1 });
    expect(Object.keys(event)).not.toContain('orderId');
    expect(Object.keys(event)).not.toContain('error');
  });
});
