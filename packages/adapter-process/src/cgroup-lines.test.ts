import { describe, expect, it } from 'vitest';
import { canBeBornOf } from './cgroup-lines.ts';

const v2 = (path: string): string => `0::${path}\n`;

describe('what can be born of a process, by its cgroups', () => {
  it.each([
    ['is in the same one', '/a', '/a', true],
    ['is below', '/a', '/a/b', true],
    ['is below the root', '/', '/a', true],
    ['is beside', '/a', '/b', false],
    ['is above', '/a/b', '/a', false],
    ['has a longer name', '/a', '/ab', false],
    ['is in that of another agent below', '/a', '/a/agent-killswitch/agent-x', false],
    ['is in that of another adopted agent below', '/a', '/a/agent-killswitch/adopted-x', false],
    ['is where it was before it was adopted', '/a/agent-killswitch/adopted-x', '/a', true],
    [
      'is where it was before it was adopted twice',
      '/agent-killswitch/adopted-x/b/agent-killswitch/adopted-y',
      '/c',
      true,
    ],
    ['is beside where it was before', '/a/agent-killswitch/adopted-x', '/b', false],
    ['is not in the one that it was started in', '/a/agent-killswitch/agent-x', '/a', false],
    ['is in the same one of an agent', '/a/agent-killswitch/agent-x', '/a/agent-killswitch/agent-x/b', true],
  ])('one that %s: %s, %s', (_, ancestor, path, can) => {
    expect(canBeBornOf(v2(path), v2(ancestor))).toBe(can);
  });

  it('has to be in place in every hierarchy that both are in', () => {
    const ancestor = '4:memory:/m\n1:name=systemd:/s\n0::/\n';
    expect(canBeBornOf('4:memory:/m/sub\n1:name=systemd:/s\n0::/x\n', ancestor)).toBe(true);
    expect(canBeBornOf('4:memory:/other\n1:name=systemd:/s\n0::/\n', ancestor)).toBe(false);
    expect(canBeBornOf('1:name=systemd:/s\n', ancestor)).toBe(true);
    expect(canBeBornOf('', ancestor)).toBe(true);
    expect(canBeBornOf('0::/x\n', '')).toBe(true);
  });
});
