/**
 * Cgroups that bear a container's id and are not the container's: what is in them is not touched.
 * @services docker
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CgroupMounts } from '../src/cgroup-mounts.ts';
import { create, pidsOf } from './support/containers.ts';
import { FaultyEngine } from './support/faulty-engine.ts';
import { withEngine } from './support/with-engine.ts';
import { evidenceOf, expectUnconfirmed, outcomeOf, type World, world } from './support/world.ts';

const deadlines = { forceAfter: 500, confirmWithin: 1_000 };

withEngine((on) => {
  let w: World;
  let engine: FaultyEngine;
  let id: string;
  let foreign: ChildProcess;
  let folders: string[];
  beforeEach(async () => {
    // Older than the container, so it is found first.
    foreign = spawn('sleep', ['600'], { stdio: 'ignore' });
    engine = await FaultyEngine.before(on.url);
    w = await world(engine.docker, { removal: false, deadlines });
    folders = [];
  });
  afterEach(async () => {
    const ended = new Promise((resolve) => foreign.once('exit', resolve));
    if (foreign.exitCode === null && foreign.signalCode === null) {
      foreign.kill('SIGKILL');
      await ended;
    }
    await w.close();
    engine.close();
    for (const folder of folders.reverse()) rmdirSync(folder);
  });

  /** A container that has started since its handle was made, and another's process in a cgroup of its name. */
  async function withForeign(parents: readonly string[], owner: number, isStarted = true): Promise<void> {
    id = await create(on.docker, on.image);
    await w.enrol('a', id);
    if (isStarted) {
      await on.docker.getContainer(id).start();
      await expect.poll(() => pidsOf(id).length).toBeGreaterThanOrEqual(2);
    }
    for (const name of [...parents, id]) {
      const above = folders.at(-1) ?? CgroupMounts.here().unifiedPoint;
      if (above === undefined) throw new Error('no cgroup v2 here');
      const folder = join(above, name);
      mkdirSync(folder);
      folders.push(folder);
      chownSync(folder, owner, owner);
    }
    writeFileSync(join(folders.at(-1) ?? '', 'cgroup.procs'), String(foreign.pid));
    engine.fault = () => 'silence';
  }

  const isForeignAlive = (): boolean => foreign.exitCode === null && foreign.signalCode === null;
  const own = (): number[] => pidsOf(id).filter((pid) => pid !== foreign.pid);

  it.each([0, 65_534])(
    'beside the container, where no engine has any (made by user %i): the container dies, the other does not (I3)',
    async (owner) => {
      await withForeign([`foreign-${process.pid}`], owner);
      const outcome = outcomeOf(await w.killAll(), 'a');
      expect(own()).toEqual([]);
      expect(isForeignAlive()).toBe(true);
      expect(outcome).toMatchObject({
        outcome: 'confirmed',
        evidence: expect.stringMatching(
          /^cgroup (?!\/foreign).*[0-9a-f]{64}\S* is (empty|gone), pid \d+ has ended$/,
        ),
      });
    },
  );

  it("alone, in a folder of another user's: not touched, and nobody is called dead (I3)", async () => {
    await withForeign([`foreign-${process.pid}`], 65_534, false);
    await expectUnconfirmed(w, await w.killAll(), 'a');
    expect(isForeignAlive()).toBe(true);
    await expect.poll(() => evidenceOf(w, 'a')).toContain('somebody else may have made');
  });
});
