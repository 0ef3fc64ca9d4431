/**
 * Where a container's cgroups are found on hosts of every kind. The texts of `/proc/self/mountinfo` and `/proc/<pid>/cgroup` are
 * those of real machines, cut down to the lines with cgroups, with the container's id put in.
 */
import { expect, it } from 'vitest';
import { CgroupMounts } from './cgroup-mounts.ts';
import { cgroupPathsOf } from './cgroup-path.ts';

const id = '5617ed7e7e487d2c4dd2e013e361109b4eceabfe3fa8c7aea9e37498b1aed5fa';
const own = '5425782a95e643181d8a485a2bab3c0bb21f51d7dfc03511f0e6fbf3f3aa356a';

/** CentOS 7, cgroup v1 alone, seen by Docker with the systemd driver. */
const centos7 = `
24 17 0:20 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:8 - tmpfs tmpfs ro,seclabel,mode=755
25 24 0:21 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:9 - cgroup cgroup rw,seclabel,xattr,release_agent=/usr/lib/systemd/systemd-cgroups-agent,name=systemd
28 24 0:24 / /sys/fs/cgroup/blkio rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,seclabel,blkio
29 24 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:12 - cgroup cgroup rw,seclabel,cpuacct,cpu
30 24 0:26 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime shared:13 - cgroup cgroup rw,seclabel,memory
31 24 0:27 / /sys/fs/cgroup/freezer rw,nosuid,nodev,noexec,relatime shared:14 - cgroup cgroup rw,seclabel,freezer
36 24 0:32 / /sys/fs/cgroup/devices rw,nosuid,nodev,noexec,relatime shared:19 - cgroup cgroup rw,seclabel,devices`;

/** systemd's hybrid layout, with v2 beside v1. */
const hybridSystemd = `
30 23 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:4 - tmpfs tmpfs ro,seclabel,size=4096k,nr_inodes=1024,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:5 - cgroup2 none rw,seclabel,nsdelegate
32 30 0:28 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:6 - cgroup none rw,seclabel,xattr,name=systemd
40 30 0:36 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:12 - cgroup none rw,seclabel,cpu,cpuacct
44 30 0:40 / /sys/fs/cgroup/freezer rw,nosuid,nodev,noexec,relatime shared:16 - cgroup none rw,seclabel,freezer`;

/** v1 and v2 without systemd: the cgroupfs driver. */
const hybridPlain = `
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`;

/** Ubuntu 22.04, cgroup v2 alone. */
const ubuntu2204 = `
32 24 0:6 / /sys/kernel/security rw,nosuid,nodev,noexec,relatime shared:8 - securityfs securityfs rw
35 24 0:29 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
38 25 0:32 / /proc/sys/fs/binfmt_misc rw,relatime shared:13 - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0,minproto=5,maxproto=5,direct`;

/** Within a container, cgroup v1: it sees its own part of every hierarchy. */
const withinV1 = `
148 147 0:86 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
149 148 0:22 /docker/${own} /sys/fs/cgroup/cpuset rw,nosuid,nodev,noexec,relatime - cgroup cgroup rw,cpuset
154 148 0:30 /docker/${own} /sys/fs/cgroup/freezer rw,nosuid,nodev,noexec,relatime - cgroup cgroup rw,freezer
158 148 0:35 /docker/${own} /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime - cgroup systemd rw,name=systemd`;

/** Within a container, cgroup v2 with a cgroup namespace of its own. */
const withinV2 = `
749 741 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot`;

const scope = `/system.slice/docker-${id}.scope`;
const inEach = (path: string, unified: string): string =>
  `8:blkio:${path}\n7:net_cls:/\n6:freezer:${path}\n5:devices:${path}\n3:cpuacct,cpu:${path}\n1:name=systemd:${path}\n${unified}`;

interface Found {
  unified?: string;
  freezer?: string;
}

it.each<[string, string, string, Found]>([
  [
    'CentOS 7: systemd driver, v1 alone',
    centos7,
    inEach(scope, ''),
    { freezer: `/sys/fs/cgroup/freezer${scope}` },
  ],
  [
    'systemd driver, hybrid',
    hybridSystemd,
    inEach(scope, `0::${scope}\n`),
    { unified: `/sys/fs/cgroup/unified${scope}`, freezer: `/sys/fs/cgroup/freezer${scope}` },
  ],
  [
    'systemd driver, hybrid, with a runc that leaves containers in the v2 cgroup of their engine',
    hybridSystemd,
    inEach(scope, '0::/system.slice/containerd.service\n'),
    { freezer: `/sys/fs/cgroup/freezer${scope}` },
  ],
  [
    'systemd driver, a slice of its own',
    ubuntu2204,
    `0::/user.slice/user-a.slice/user-a-b.slice/docker-${id}.scope\n`,
    { unified: `/sys/fs/cgroup/user.slice/user-a.slice/user-a-b.slice/docker-${id}.scope` },
  ],
  [
    'Ubuntu 22.04: systemd driver, v2 alone',
    ubuntu2204,
    `0::${scope}\n`,
    { unified: `/sys/fs/cgroup${scope}` },
  ],
  [
    'v2 alone, systemd within the container',
    ubuntu2204,
    `0::${scope}/init.scope\n`,
    { unified: `/sys/fs/cgroup${scope}` },
  ],
  ['cgroupfs driver, v2 alone', ubuntu2204, `0::/docker/${id}\n`, { unified: `/sys/fs/cgroup/docker/${id}` }],
  [
    'cgroupfs driver, hybrid',
    hybridPlain,
    inEach(`/docker/${id}`, `0::/docker/${id}\n`),
    { unified: `/sys/fs/cgroup/unified/docker/${id}`, freezer: `/sys/fs/cgroup/freezer/docker/${id}` },
  ],
  [
    'rootless Docker',
    ubuntu2204,
    `0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${id}.scope\n`,
    {
      unified: `/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${id}.scope`,
    },
  ],
  [
    'Podman, v2',
    ubuntu2204,
    `0::/machine.slice/libpod-${id}.scope/container\n`,
    { unified: `/sys/fs/cgroup/machine.slice/libpod-${id}.scope` },
  ],
  [
    "Podman's monitor of the container is not the container",
    ubuntu2204,
    `0::/machine.slice/libpod-conmon-${id}.scope\n`,
    {},
  ],
  [
    'an engine within a container, v1, seen from in there',
    withinV1,
    inEach(`/docker/${own}/docker/${id}`, ''),
    { freezer: `/sys/fs/cgroup/freezer/docker/${id}` },
  ],
  ['a neighbour, seen from within a container, v1', withinV1, inEach(`/docker/${id}`, ''), {}],
  ['a neighbour, seen from a cgroup namespace, v2', withinV2, `0::/../docker-${id}.scope\n`, {}],
  ['a process of the engine itself', ubuntu2204, '0::/system.slice/docker.service\n', {}],
])('%s', (_, mountinfo, cgroups, found) => {
  const mounts = new CgroupMounts(mountinfo);
  const { cgroup, freezer } = cgroupPathsOf(cgroups, id);
  expect({
    unified: cgroup === null ? undefined : mounts.unified(cgroup),
    freezer: freezer === null ? undefined : mounts.freezer(freezer),
  }).toEqual({ unified: found.unified, freezer: found.freezer });
});
