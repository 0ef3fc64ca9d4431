import { containerRemoval, dockerRuntime } from '@agent-killswitch/adapter-docker';
import { createKillswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { serviceNamed } from '../scripts/services/table.ts';
import { withServices } from '../scripts/services/with-services.ts';
import { median } from './compare.ts';
import { DockerBed, type Timed } from './docker-bed.ts';
import type { Report } from './report.ts';

const n = 50;
const rounds = 5;
const principal: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

/**
 * A kill-all of 50 containers on a local engine against one `docker kill` of as many: until the last process is gone, and until
 * the order has settled, or the command has returned. The same with removal against one `docker rm --force`.
 */
export default async function bench(report: Report): Promise<void> {
  await withServices([serviceNamed('docker')], async ({ env, missing }) => {
    const { DOCKER_HOST: url, DOCKER_TEST_IMAGE: image } = env;
    if (url === undefined || image === undefined) throw new Error(`No engine: ${missing[0]?.why}`);
    const bed = new DockerBed(url, image);
    const ours: Timed[] = [];
    const theirs: Timed[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await killAll(bed, false));
      theirs.push(await bed.time(n, async (ids) => () => bed.cli('kill', ...ids)));
    }
    const middle = (timed: readonly Timed[], what: keyof Timed): number =>
      median(timed.map((each) => each[what]));
    report({
      metric: 'docker.last-death',
      value: middle(ours, 'deadMs'),
      unit: 'ms',
      baseline: middle(theirs, 'deadMs'),
      limit: 0.35,
      n,
    });
    report({
      metric: 'docker.settled',
      value: middle(ours, 'doneMs'),
      unit: 'ms',
      baseline: middle(theirs, 'doneMs'),
      limit: 1,
      n,
    });
    const removed = await killAll(bed, true);
    const plain = await bed.time(n, async (ids) => () => bed.cli('rm', '--force', ...ids));
    report({ metric: 'docker.removed', value: removed.doneMs, unit: 'ms', baseline: plain.doneMs, n });
  });
}

/** The last death counts when the killswitch has seen it, too. */
async function killAll(bed: DockerBed, isRemoving: boolean): Promise<Timed> {
  const runtime = dockerRuntime(bed.docker);
  const ks = createKillswitch({
    hostId: 'bench',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { docker: runtime },
    cleanup: isRemoving ? [containerRemoval(bed.docker)] : [],
    deadlines: { forceAfter: 60_000, confirmWithin: 120_000 },
  });
  await ks.start();
  let confirmedMs = 0;
  const timed = await bed.time(n, async (ids) => {
    for (const [at, id] of ids.entries()) {
      const agentId = `agent-${at}`;
      await ks.admit({ agentId, taskId: `task-${at}`, workspaceId: 'w', ownerId: 'o' });
      await ks.running(agentId, [await runtime.adopt(id, { agentId })]);
    }
    return async () => {
      const { killed, settled, requestedAt, outcomes } = await ks.kill(
        { everything: true },
        { principal, reason: 'bench' },
      );
      if (killed !== n || !settled) throw new Error(`Killed ${killed} of ${n}`);
      confirmedMs = Math.max(...outcomes.map(({ confirmedAt = Infinity }) => confirmedAt - requestedAt));
    };
  });
  await ks.close();
  return { ...timed, deadMs: Math.max(timed.deadMs, confirmedMs) };
}
