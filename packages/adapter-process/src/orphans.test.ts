import { describe, expect, it } from 'vitest';
import { orphansOf, type Witnesses } from './orphans.ts';
import { snapshotOf } from './testing/snapshot-of.ts';

const clues = { cgroups: '0::/a\n', cgroupNamespace: 'cgroup:[1]', reapers: [{ pid: 1, startTime: 1 }] };
const everywhere: Witnesses = {
  cgroupNamespace: 'cgroup:[1]',
  cgroupLines: () => '0::/a\n',
  isOthers: () => false,
  isKnownAgent: (agentId) => agentId === 'b',
};

/** The agent's process is 71, which has been started when 71 was; 10 is this very process. */
function doubted(
  processes: Parameters<typeof snapshotOf>[0],
  witnesses: Partial<Witnesses> = {},
  { reapers }: Partial<typeof clues> | { reapers: undefined } = clues,
): number[] {
  const snapshot = snapshotOf({ 71: [10, 71], ...processes });
  const own = { processes: new Set([snapshot.get(71)!]), marks: new Set(['a', 'root']) };
  const { reapers: _, ...rest } = clues;
  const orphans = reapers === undefined ? rest : { ...rest, reapers };
  const found = orphansOf({ pid: 71, startTime: 71, orphans }, snapshot, own, {
    ...everywhere,
    ...witnesses,
  });
  return found.map(({ process }) => process.pid);
}

describe('who may be an orphan of an adopted process', () => {
  it('a younger child of one who gets its orphans; not what descends from that in turn', () => {
    expect(doubted({ 80: [1, 80], 81: [80, 80], 90: [1, 5] })).toEqual([80, 90]);
    expect(doubted({ 80: [1, 80] }, {}, { reapers: [{ pid: 1, startTime: 2 }] })).toEqual([]);
  });

  it("nobody who is older, dead, another agent's, this process, or the child of somebody else", () => {
    expect(doubted({ 70: [1, 70], 80: [10, 80], 81: [1, 81, { alive: false }] })).toEqual([]);
    expect(doubted({ 82: [1, 82, { mark: 'b' }] })).toEqual([]);
    expect(doubted({ 83: [1, 83] }, { isOthers: ({ pid }) => pid === 83 })).toEqual([]);
    expect(doubted({ 10: [1, 10, { startTime: 99 }] })).toEqual([]);
  });

  it('also one with a mark of an agent that is not known: anybody can write one', () => {
    expect(doubted({ 82: [1, 82, { mark: 'invented' }] })).toEqual([82]);
  });

  it('also one with a mark that its own processes carry', () => {
    expect(doubted({ 84: [1, 84, { mark: 'root' }] })).toEqual([84]);
  });

  it('nobody in another cgroup, as long as cgroups can be compared', () => {
    const elsewhere = { cgroupLines: () => '0::/b\n' };
    expect(doubted({ 80: [1, 80] }, elsewhere)).toEqual([]);
    expect(doubted({ 80: [1, 80] }, { ...elsewhere, cgroupNamespace: 'cgroup:[2]' })).toEqual([80]);
  });

  it('one that is gone when its cgroup is asked for: it may have left a child', () => {
    expect(doubted({ 80: [1, 80] }, { cgroupLines: () => undefined })).toEqual([80]);
  });

  it("anyone's younger child, where it cannot be told who gets its orphans", () => {
    expect(doubted({ 60: [1, 60], 80: [60, 60], 90: [10, 90] }, {}, { reapers: undefined })).toEqual([
      80, 90,
    ]);
  });
});
