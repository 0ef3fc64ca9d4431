import { expect, it } from 'vitest';
import { CgroupMounts } from './cgroup-mounts.ts';
import type { Local } from './handle.ts';
import { Places } from './places.ts';

const id = '5617ed7e7e487d2c4dd2e013e361109b4eceabfe3fa8c7aea9e37498b1aed5fa';
const other = '5425782a95e643181d8a485a2bab3c0bb21f51d7dfc03511f0e6fbf3f3aa356a';
/** Folders that are there and root's, whatever this machine has: their owner is what counts. */
const mounts = new CgroupMounts(
  '35 24 0:29 / / rw - cgroup2 cgroup2 rw\n36 24 0:30 / / rw - cgroup cgroup rw,freezer',
);

function at(cgroup: string | null, freezer: string | null = null, pid = 7): Local {
  return { bootId: 'b', namespaces: 'n', pid, startTime: 1, cgroup, freezer };
}

it('the only one: that', () => {
  expect(new Places(mounts).choose([at(`/usr/${id}`)])).toEqual({ local: at(`/usr/${id}`) });
});

it('several, of which one is where its engine has another container: that', () => {
  const places = new Places(mounts);
  places.note(at(`/usr/${other}`));
  expect(places.choose([at(`/etc/${id}`), at(`/usr/${id}`, null, 9)])).toEqual({
    local: at(`/usr/${id}`, null, 9),
  });
});

it('several, and nothing is known of where its engine has containers: in doubt', () => {
  const { doubt } = new Places(mounts).choose([at(`/etc/${id}`), at(`/usr/${id}`)]) as { doubt: string };
  expect(doubt).toContain(`whose is in doubt: /etc/${id}, /usr/${id}`);
});

it('several where its engine has others: in doubt', () => {
  const places = new Places(mounts);
  places.note(at(`/usr/${other}`));
  places.note(at(`/etc/${other}`));
  expect(places.choose([at(`/etc/${id}`), at(`/usr/${id}`)])).toHaveProperty('doubt');
});

it('of one place the process that is in it in every hierarchy', () => {
  const whole = at(`/usr/${id}`, `/usr/${id}`, 9);
  expect(new Places(mounts).choose([at(null, `/usr/${id}`), whole])).toEqual({ local: whole });
});

it('in a folder that is not there, or that nobody trusted owns: in doubt', () => {
  expect(new Places(mounts).choose([at(`/not/there/${id}`)])).toHaveProperty('doubt');
});
