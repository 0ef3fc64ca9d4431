import { expect, it } from 'vitest';
import { CgroupMounts } from './cgroup-mounts.ts';

const line = (root: string, point: string, type: string, options: string): string =>
  `36 35 0:31 ${root} ${point} rw,nosuid shared:9 - ${type} ${type} ${options}`;

it('pure v2', () => {
  const mounts = new CgroupMounts(line('/', '/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate'));
  expect(mounts.unified('/docker/x')).toBe('/sys/fs/cgroup/docker/x');
  expect(mounts.freezer('/docker/x')).toBeUndefined();
});

it('hybrid, with an odd mount point', () => {
  const mounts = new CgroupMounts(
    [
      line('/', '/sys/fs/cgroup/cpu', 'cgroup', 'rw,cpu,cpuacct'),
      line('/', '/sys/fs/cgroup/freezer', 'cgroup', 'rw,freezer'),
      line('/', '/odd\\040point', 'cgroup2', 'rw'),
    ].join('\n'),
  );
  expect(mounts.unified('/docker/x')).toBe('/odd point/docker/x');
  expect(mounts.freezer('/docker/x')).toBe('/sys/fs/cgroup/freezer/docker/x');
  expect(mounts.freezerPoint).toBe('/sys/fs/cgroup/freezer');
});

it('a part of the hierarchy: nothing outside of it is seen', () => {
  const mounts = new CgroupMounts(line('/docker/me', '/sys/fs/cgroup', 'cgroup2', 'rw'));
  expect(mounts.unified('/docker/me/below')).toBe('/sys/fs/cgroup/below');
  for (const path of ['/docker/x', '/docker/me2', '/docker/me']) expect(mounts.unified(path)).toBeUndefined();
});

it('nothing at all', () => {
  const mounts = new CgroupMounts('');
  expect([mounts.unified('/x'), mounts.freezer('/x'), mounts.unifiedPoint]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
