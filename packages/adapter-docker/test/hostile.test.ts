/**
 * Containers that do not want to die, most of them with more rights than anybody should give them; the engine hangs all the while.
 * @services docker
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { pidsOf, run } from './support/containers.ts';
import { withEngine } from './support/with-engine.ts';
import { outcomeOf, type World, world } from './support/world.ts';

const deadlines = { forceAfter: 1_000, confirmWithin: 3_000 };
/** Finds its own cgroups where it can write to all of the machine's. */
const own = `
  cg=/cg/unified; fz=/cg/freezer
  cgown=$cg$(sed -n 's/^0:://p' /proc/self/cgroup); fzown=$fz$(sed -n 's/^[0-9]*:freezer://p' /proc/self/cgroup)
`;
const forever = `while :; do sleep 1; done`;

const hostile: Record<string, { script: string; writesCgroups?: boolean; ready: number }> = {
  'forks all the time, up to its limit': {
    script: `trap '' TERM; f() { while :; do sh -c 'sleep 0.2' & sleep 0.01; done; }; f & f & f & f & wait; ${forever}`,
    ready: 20,
  },
  'has children in sessions of their own, and orphans': {
    script: `trap '' TERM; for i in 1 2 3 4 5; do (setsid sh -c "trap '' TERM; ${forever}" &); done; ${forever}`,
    ready: 6,
  },
  'nests cgroups of its own and moves into them': {
    script: `${own} mkdir -p $cgown/a/b $fzown/a
      sh -c "echo 0 > $cgown/a/b/cgroup.procs; echo 0 > $fzown/a/cgroup.procs; ${forever}" &
      echo 0 > $cgown/a/cgroup.procs; ${forever}`,
    writesCgroups: true,
    ready: 3,
  },
  'freezes its child in a nested cgroup': {
    script: `${own} mkdir -p $fzown/ice
      sh -c "echo 0 > $fzown/ice/cgroup.procs; echo FROZEN > $fzown/ice/freezer.state; ${forever}" &
      ${forever}`,
    writesCgroups: true,
    ready: 3,
  },
  'holds many threads of a gone leader': {
    script: `trap '' TERM; ${forever} & ${forever} & exec sleep 1000`,
    ready: 3,
  },
};

withEngine((on) => {
  let w: World;
  afterEach(async () => {
    on.engine.signal('SIGCONT');
    await w.close().catch(() => {});
  });

  async function start(script: string, writesCgroups: boolean, more: object = {}): Promise<string> {
    const Binds = writesCgroups ? ['/sys/fs/cgroup:/cg'] : [];
    const HostConfig = { Binds, PidsLimit: 200, ...more };
    return run(on.docker, on.image, { Cmd: ['sh', '-c', script], HostConfig });
  }

  it.each(Object.entries(hostile))(
    '%s: killed whole and seen dead',
    async (_, { script, writesCgroups = false, ready }) => {
      w = await world(on.docker, { deadlines });
      const id = await start(script, writesCgroups);
      await expect.poll(() => pidsOf(id).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(ready);
      await w.enrol('a', id);
      on.engine.signal('SIGSTOP');
      const outcome = outcomeOf(await w.killAll(), 'a');
      expect(pidsOf(id)).toEqual([]);
      expect(outcome).toMatchObject({ outcome: 'confirmed' });
    },
  );

  it('moves all of itself out of its cgroups after its handle was made: its first process is found where it went, and with it the rest', async () => {
    w = await world(on.docker, { deadlines });
    const script = `${own} while [ ! -e /tmp/go ]; do sleep 0.05; done
      sh -c "echo 0 > $cg/cgroup.procs; echo 0 > $fz/cgroup.procs; ${forever}" &
      echo 0 > $cg/cgroup.procs; echo 0 > $fz/cgroup.procs; ${forever}`;
    const id = await start(script, true);
    await w.enrol('a', id);
    const handle = (await w.ks.agent('a')).handles[0] as unknown as {
      local: { cgroup: string; freezer: string; pid: number };
    };
    const exec = await on.docker.getContainer(id).exec({ Cmd: ['touch', '/tmp/go'] });
    await exec.start({ Detach: true });
    const members = () => [
      ...readFileSync(`/sys/fs/cgroup/unified${handle.local.cgroup}/cgroup.procs`, 'utf8')
        .split('\n')
        .filter(Boolean),
      ...readFileSync(`/sys/fs/cgroup/freezer${handle.local.freezer}/cgroup.procs`, 'utf8')
        .split('\n')
        .filter(Boolean),
    ];
    await expect.poll(members, { timeout: 10_000 }).toEqual([]);
    const namespace = (pid: number | string): string => {
      try {
        return readlinkSync(`/proc/${pid}/ns/pid`);
      } catch {
        return '';
      }
    };
    const home = namespace(handle.local.pid);
    const inhabitants = () =>
      readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && namespace(pid) === home);
    expect(inhabitants().length).toBeGreaterThanOrEqual(2);
    on.engine.signal('SIGSTOP');
    const outcome = outcomeOf(await w.killAll(), 'a');
    expect(outcome).toMatchObject({ outcome: 'confirmed' });
    expect(inhabitants()).toEqual([]);
  });

  it('shares the pid namespace of the machine: killed by its cgroup', async () => {
    w = await world(on.docker, { deadlines });
    const id = await start(`trap '' TERM; (setsid sh -c "trap '' TERM; ${forever}" &); ${forever}`, false, {
      PidMode: 'host',
    });
    await expect.poll(() => pidsOf(id).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
    await w.enrol('a', id);
    on.engine.signal('SIGSTOP');
    expect(outcomeOf(await w.killAll(), 'a')).toMatchObject({ outcome: 'confirmed' });
    expect(pidsOf(id)).toEqual([]);
  });

  it('is full of execs that are being started: none is left', async () => {
    w = await world(on.docker);
    const id = await start(`trap '' TERM; ${forever}`, false);
    await w.enrol('a', id);
    const started = async (): Promise<void> => {
      const exec = await on.docker.getContainer(id).exec({ Cmd: ['sh', '-c', `trap '' TERM; ${forever}`] });
      await exec.start({ Detach: true });
    };
    const execs = Promise.allSettled(Array.from({ length: 20 }, started));
    const outcome = outcomeOf(await w.killAll(), 'a');
    await execs;
    expect(outcome).toMatchObject({ outcome: 'confirmed' });
    expect(pidsOf(id)).toEqual([]);
  });
});
