import { describe, expect, it } from 'vitest';
import { type AgentTree, type Target, treeOf } from './agent-tree.ts';
import { KnownProcesses } from './known-processes.ts';
import type { Snapshot } from './snapshot.ts';
import { snapshotOf } from './testing/snapshot-of.ts';

const root = { pid: 71, startTime: 71, ownSession: true };
const target: Target = { agentId: 'a', root };
const tree = (snapshot: Snapshot, known = new KnownProcesses(), of = target): AgentTree =>
  treeOf(of, snapshot, known.of('a'));
const pids = ({ alive }: AgentTree): number[] => alive.map(({ pid }) => pid).sort((a, b) => a - b);
const doubted = ({ doubts }: AgentTree): number[] => doubts.map(({ process }) => process.pid);

describe("what is the agent's", () => {
  it('the root and its descendants, also those that founded sessions of their own', () => {
    const found = tree(snapshotOf({ 71: [10, 71], 72: [71, 71], 73: [72, 73], 74: [73, 73], 80: [1, 80] }));
    expect(pids(found)).toEqual([71, 72, 73, 74]);
    expect([...found.groups].sort()).toEqual([71, 73]);
    expect(found.doubts).toEqual([]);
  });

  it("nothing, if the root's pid belongs to a process with another start time", () => {
    const found = tree(snapshotOf({ 71: [10, 71, { startTime: 900 }], 72: [71, 71, { startTime: 901 }] }));
    expect(pids(found)).toEqual([]);
    expect(found.doubts).toEqual([]);
  });

  it('marked orphans anywhere, with what descends from them', () => {
    const found = tree(snapshotOf({ 90: [1, 90, { mark: 'a' }], 91: [90, 90], 92: [1, 92, { mark: 'b' }] }));
    expect(pids(found)).toEqual([90, 91]);
  });

  it('orphans without a mark in a session of the root, while the root or a marked member proves it', () => {
    expect(pids(tree(snapshotOf({ 71: [10, 71], 75: [1, 71] })))).toEqual([71, 75]);
    expect(pids(tree(snapshotOf({ 74: [1, 71, { mark: 'a' }], 75: [1, 71] })))).toEqual([74, 75]);
    const zombie = tree(snapshotOf({ 71: [10, 71, { alive: false }], 75: [1, 71] }));
    expect(pids(zombie)).toEqual([75]);
  });

  it('orphans in a session of a descendant', () => {
    expect(pids(tree(snapshotOf({ 71: [10, 71], 73: [71, 73], 76: [1, 73] })))).toEqual([71, 73, 76]);
  });

  it('what was found before, when parent, leader and mark are gone; but not a later process with its pid', () => {
    const known = new KnownProcesses();
    const before = snapshotOf({ 71: [10, 71], 73: [71, 73], 74: [73, 73] });
    known.remember('a', tree(before, known), before);
    expect(pids(tree(snapshotOf({ 74: [1, 73], 77: [1, 73] }), known))).toEqual([74, 77]);
    expect(pids(tree(snapshotOf({ 74: [1, 73, { startTime: 900 }] }), known))).toEqual([]);
    const reused = snapshotOf({ 73: [1, 73, { startTime: 800 }], 77: [1, 73, { startTime: 801 }] });
    expect(pids(tree(reused, known))).toEqual([]);
  });

  it('what an agent was started as; it is known as long as one of its processes lives', () => {
    const known = new KnownProcesses();
    known.note('a', { pid: 71, startTime: 71 });
    expect(known.isOthers('b', { pid: 71, startTime: 71 })).toBe(true);
    const marked = { 80: [1, 80, { mark: 'a' }] } as const;
    expect(known.isLive('a', snapshotOf({ 71: [10, 71], ...marked }))).toBe(true);
    expect(known.isLive('a', snapshotOf({ 71: [10, 71, { startTime: 99 }], ...marked }))).toBe(false);
    expect(known.isLive('b', snapshotOf({ 71: [10, 71, { mark: 'b' }] }))).toBe(false);
  });

  it('a nested agent by lineage, but not by session alone, nor once it lost its parent', () => {
    const nested = snapshotOf({ 71: [10, 71], 73: [71, 73, { mark: 'b' }], 74: [73, 73, { mark: 'b' }] });
    const known = new KnownProcesses();
    known.remember('a', tree(nested, known), nested);
    expect(pids(tree(nested, known))).toEqual([71, 73, 74]);
    expect(pids(tree(snapshotOf({ 73: [1, 73, { mark: 'b' }] }), known))).toEqual([]);
    const sameSession = tree(snapshotOf({ 71: [10, 71], 75: [1, 71, { mark: 'b' }] }));
    expect(pids(sameSession)).toEqual([71]);
    expect(doubted(sameSession)).toEqual([75]);
    expect(sameSession.groups).toEqual([]);
  });

  it('what has the mark that its root had when it was adopted, by session and from memory', () => {
    const outer = { mark: 'outer' };
    const before = snapshotOf({
      71: [10, 71, outer],
      73: [71, 73, outer],
      75: [1, 71, outer],
      90: [1, 90, outer],
    });
    const known = new KnownProcesses();
    expect(pids(tree(before, known))).toEqual([71, 73, 75]);
    known.remember('a', tree(before, known), before);
    expect(pids(tree(snapshotOf({ 73: [1, 73, outer], 76: [1, 73, outer] }), known))).toEqual([73, 76]);
  });

  it('no group or session that is shared with others', () => {
    const shared = { 50: [1, 50], 71: [50, 50], 72: [71, 50], 60: [50, 50] } as const;
    const adopted = { agentId: 'a', root: { ...root, ownSession: false } };
    const found = tree(snapshotOf(shared), new KnownProcesses(), adopted);
    expect(pids(found)).toEqual([71, 72]);
    expect(found.groups).toEqual([]);
  });

  it("no child that is older than its parent: the parent's pid was given out anew", () => {
    expect(pids(tree(snapshotOf({ 71: [10, 71], 72: [71, 20, { startTime: 30 }] })))).toEqual([71]);
  });

  it('says so when this very process or an ancestor of it is one of them', () => {
    const snapshot = snapshotOf({ 90: [1, 90] });
    expect(tree(snapshot).holdsSelf).toBe(false);
    for (const [pid, startTime] of [
      [10, 10],
      [1, 1],
    ] as const) {
      const self = { agentId: 'a', root: { pid, startTime, ownSession: true } };
      expect(tree(snapshot, new KnownProcesses(), self).holdsSelf).toBe(true);
    }
  });
});

describe('what is in doubt', () => {
  it("members of a session with the root's number that nothing proves to be the root's", () => {
    const found = tree(
      snapshotOf({ 75: [1, 71], 76: [1, 71, { mark: 'b' }], 77: [1, 71, { alive: false }] }),
    );
    expect(pids(found)).toEqual([]);
    expect(doubted(found)).toEqual([75, 76]);
  });

  it('the same in a session that a descendant founded', () => {
    const known = new KnownProcesses();
    const before = snapshotOf({ 71: [10, 71], 73: [71, 73] });
    known.remember('a', tree(before, known), before);
    expect(doubted(tree(snapshotOf({ 77: [1, 73], 78: [1, 73, { mark: 'b' }] }), known))).toEqual([77, 78]);
    expect(doubted(tree(snapshotOf({ 73: [1, 73, { startTime: 800 }], 77: [1, 73] }), known))).toEqual([]);
  });

  it('processes whose environment could not be read, if they can be descendants', () => {
    const unread = { unread: true };
    const found = tree(
      snapshotOf({
        60: [1, 60],
        65: [1, 65, unread],
        75: [1, 75],
        80: [1, 60, unread],
        81: [1, 81, unread],
        82: [1, 82, { ...unread, alive: false }],
        84: [1, 75, unread],
        85: [1, 81, unread],
        86: [1, 79, unread],
        87: [1, 87, { alive: false }],
        88: [1, 87, unread],
        71: [10, 71],
        83: [71, 71, unread],
      }),
    );
    expect(pids(found)).toEqual([71, 83]);
    expect(doubted(found)).toEqual([81, 85, 86, 88]);
    const anyone = tree(snapshotOf({ 65: [1, 65, unread] }), new KnownProcesses(), { agentId: 'a' });
    expect(doubted(anyone)).toEqual([65]);
  });

  it('such processes only as the children of those who get its orphans, where it shares its session', () => {
    const unread = { unread: true };
    const shared = { agentId: 'a', root: { ...root, ownSession: false } };
    const known = new KnownProcesses();
    const others = {
      5: [1, 5],
      6: [1, 6, unread],
      80: [5, 5, unread],
      81: [1, 5, unread],
      82: [10, 5, unread],
      83: [6, 5, unread],
    } as const;
    const before = snapshotOf({ 71: [10, 10], ...others });
    expect(doubted(tree(before, known, shared))).toEqual([81, 82, 83]);
    // Once its first process is gone, by what was seen of it, or else by nothing.
    expect(doubted(tree(snapshotOf(others), known, shared))).toEqual([80, 81, 82, 83]);
    known.remember('a', tree(before, known, shared), before);
    expect(doubted(tree(snapshotOf(others), known, shared))).toEqual([81, 82, 83]);
  });
});

it('remembers a bounded number of processes and agents, dropping those that are gone', () => {
  const known = new KnownProcesses();
  const many = Array.from({ length: 5_000 }, (_, n) => [100 + n, [71, 71]] as const);
  const crowd = snapshotOf({ 71: [10, 71], ...Object.fromEntries(many) });
  known.remember('a', tree(crowd, known), crowd);
  expect(known.of('a').members.size).toBe(4_096);
  const later = snapshotOf({ 71: [10, 71], 9000: [71, 71] });
  known.remember('a', tree(later, known), later);
  expect(known.of('a').members.get(9_000)).toBe(9_000);
  for (let n = 0; n < 10_000; n += 1)
    known.remember(`agent-${n}`, { processes: new Set(), marks: new Set(), reapers: undefined }, later);
  expect(known.of('a').members.size).toBe(0);
});
