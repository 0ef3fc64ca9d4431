import { describe, expect, it } from 'vitest';
import { cgroupPathsOf, containerIdsIn, isPathOf } from './cgroup-path.ts';

const id = '0123456789abcdef'.repeat(4);
const other = 'fedcba9876543210'.repeat(4);

describe("a container's cgroups out of /proc/<pid>/cgroup", () => {
  it.each([
    ['cgroupfs driver, pure v2', `0::/docker/${id}\n`, { cgroup: `/docker/${id}`, freezer: null }],
    [
      'systemd driver, pure v2',
      `0::/system.slice/docker-${id}.scope\n`,
      { cgroup: `/system.slice/docker-${id}.scope`, freezer: null },
    ],
    [
      'hybrid',
      `4:freezer:/docker/${id}\n1:name=systemd:/docker/${id}\n0::/docker/${id}\n`,
      { cgroup: `/docker/${id}`, freezer: `/docker/${id}` },
    ],
    [
      'hybrid, v2 for the service manager alone',
      `4:cpu,freezer:/docker/${id}\n0::/system.slice/docker.service\n`,
      { cgroup: null, freezer: `/docker/${id}` },
    ],
    ['a parent of its own', `0::/a/b/${id}\n`, { cgroup: `/a/b/${id}`, freezer: null }],
    ['nested below', `0::/docker/${id}/init/x\n`, { cgroup: `/docker/${id}`, freezer: null }],
    [
      'an engine within a container, seen from outside',
      `0::/docker/${other}/docker/${id}\n`,
      { cgroup: `/docker/${other}/docker/${id}`, freezer: null },
    ],
    ['another container', `0::/docker/${other}\n`, { cgroup: null, freezer: null }],
    ['a part of the id', `0::/docker/${id.slice(0, 12)}\n`, { cgroup: null, freezer: null }],
    ['more than the id', `0::/docker/${id}0\n`, { cgroup: null, freezer: null }],
    ['outside of the namespace', `0::/../${id}\n`, { cgroup: null, freezer: null }],
    ['the id within a name', `0::/docker/x${id}y\n`, { cgroup: null, freezer: null }],
    ['no cgroups', '', { cgroup: null, freezer: null }],
    ['garbage', `0:${id}\n::\n\0`, { cgroup: null, freezer: null }],
  ])('%s', (_, text, paths) => expect(cgroupPathsOf(text, id)).toEqual(paths));

  it('every container that is named', () => {
    expect([
      ...containerIdsIn(`4:freezer:/docker/${id}\n0::/system.slice/docker-${other}.scope/a\n`),
    ]).toEqual([id, other]);
    expect([...containerIdsIn(`0::/docker/${other}/docker/${id}/x\n`)]).toEqual([other, id]);
    expect([...containerIdsIn(`0::/../../docker/${id}\n`)]).toEqual([id]);
    expect([...containerIdsIn(`0::/user.slice\n0::/docker/${id}0\n`)]).toEqual([]);
  });

  it('a path that could have been found so', () => {
    expect(isPathOf(`/docker/${id}`, id)).toBe(true);
    expect(isPathOf(`/system.slice/docker-${id}.scope`, id)).toBe(true);
    for (const path of [
      '/',
      '',
      id,
      `/docker/${id}/below`,
      `/docker/${id}/..`,
      `/./${id}`,
      `/docker/${other}`,
      `/a\0/${id}`,
    ])
      expect(isPathOf(path, id)).toBe(false);
  });
});
