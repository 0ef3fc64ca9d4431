import { describe, expect, it } from 'vitest';
import { below, parseMount } from './cgroup-mount.ts';

describe('parseMount', () => {
  it.each([
    ['41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw', '/', '/sys/fs/cgroup/unified'],
    [
      '31 23 0:28 / /sys/fs/cgroup rw shared:4 master:7 - cgroup2 cgroup rw,nsdelegate',
      '/',
      '/sys/fs/cgroup',
    ],
    ['9 8 0:28 /docker/71 /cg\\040roups\\134x rw - cgroup2 none rw', '/docker/71', '/cg roups\\x'],
  ])('reads %s', (line, root, point) => expect(parseMount(line)).toEqual({ root, point }));

  it.each([
    '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu',
    '31 23 0:28 / /mnt/cgroup2 rw - tmpfs cgroup2 rw',
    '31 23 0:28',
    '',
  ])('takes no other file system for it: %j', (line) => expect(parseMount(line)).toBeUndefined());
});

describe('below', () => {
  it.each([
    ['/', '/a/b', '/a/b'],
    ['/', '/', '/'],
    ['/a', '/a', '/'],
    ['/a', '/a/b', '/b'],
    ['/a', '/ab', undefined],
    ['/a', '/', undefined],
    ['/', '/../other', undefined],
    ['/a', '/a/../b', undefined],
  ])('%j sees %j as %j', (root, path, seen) => expect(below(root, path)).toBe(seen));
});
