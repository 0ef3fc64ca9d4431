/**
 * What becomes of containers after their agents: two-phase removal, and the sweep of those that nobody owns.
 * @services docker
 */
import type { Agent } from '@agent-killswitch/core';
import { StateUnavailableError, UnknownTargetError } from '@agent-killswitch/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  agentLabels,
  containerRemoval,
  containerResource,
  type SweepOptions,
  sweepOrphans,
} from '../src/index.ts';
import { create, exists, pidsOf, run } from './support/containers.ts';
import { FaultyEngine } from './support/faulty-engine.ts';
import { withEngine } from './support/with-engine.ts';
import { type World, world } from './support/world.ts';

withEngine((on) => {
  let engine: FaultyEngine;
  beforeEach(async () => {
    engine = await FaultyEngine.before(on.url);
  });
  afterEach(async () => {
    engine.close();
  });

  const never = new AbortController().signal;
  const ended = (containerId: string, status: 'completed' | 'killed'): Agent =>
    ({
      agentId: 'a',
      status,
      handles: [{ runtime: 'docker', containerId }],
      resources: [],
    }) as unknown as Agent;
  const writes = (): string[] =>
    engine.requests
      .filter((line) => !line.startsWith('GET'))
      .map((line) => line.replace(/\/containers\/[0-9a-f]+/, ''));

  describe('removal', () => {
    it('outside of a kill: asks, gives the grace, removes without force (REQUIREMENTS C4)', async () => {
      const id = await run(on.docker, on.image, {
        Cmd: ['sh', '-c', `trap 'sleep 0.3; exit 0' TERM; while :; do sleep 0.1; done`],
      });
      await containerRemoval(engine.docker, { gracefulStopTimeoutSeconds: 5 }).run(ended(id, 'completed'), {
        signal: never,
      });
      expect(writes()).toEqual(['POST /stop?t=5', 'DELETE ?force=false&v=true']);
      expect(await exists(on.docker, id)).toBe(false);
    });

    it('outside of a kill: who does not end in its grace is killed, then removed', async () => {
      const id = await run(on.docker, on.image);
      const since = performance.now();
      await containerRemoval(engine.docker, { gracefulStopTimeoutSeconds: 1 }).run(ended(id, 'completed'), {
        signal: never,
      });
      expect(performance.now() - since).toBeGreaterThan(1_000);
      expect(await exists(on.docker, id)).toBe(false);
      expect(pidsOf(id)).toEqual([]);
    });

    it('outside of a kill: forced only if that fails', async () => {
      const id = await run(on.docker, on.image);
      engine.fault = (method, path) =>
        method === 'POST' || path.includes('force=false') ? { status: 500 } : 'pass';
      await containerRemoval(engine.docker).run(ended(id, 'completed'), { signal: never });
      expect(writes()).toEqual(['POST /stop?t=10', 'DELETE ?force=true&v=true']);
      expect(await exists(on.docker, id)).toBe(false);
    });

    it('after a kill: by force at once', async () => {
      const id = await run(on.docker, on.image);
      await containerRemoval(engine.docker).run(ended(id, 'killed'), { signal: never });
      expect(writes()).toEqual(['DELETE ?force=true&v=true']);
    });

    it('goes on asking an engine that is away until its patience ends, and then says so', async () => {
      const id = await run(on.docker, on.image);
      engine.fault = () => 'drop';
      const step = containerRemoval(engine.docker, { patienceMs: 1_000 });
      await expect(step.run(ended(id, 'killed'), { signal: never })).rejects.toMatchObject({
        code: 'engine-unreachable',
      });
      expect(engine.requests.length).toBeGreaterThanOrEqual(3);
    });

    it('a handle that holds no full id is nothing to remove by', async () => {
      const id = await run(on.docker, on.image, { name: 'precious' });
      const step = containerRemoval(engine.docker);
      for (const containerId of ['precious', id.slice(0, 12), '', '../'])
        await step.run(ended(containerId, 'killed'), { signal: never });
      expect(engine.requests).toEqual([]);
      expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
    });
  });

  describe('sweep', () => {
    let w: World;
    beforeEach(async () => {
      w = await world(on.docker, { installation: 'here' });
    });
    afterEach(() => w.close());

    const labelled = (agentId: string, installation = 'here') => ({
      Labels: agentLabels(agentId, installation),
    });
    const sweep = (more: Partial<SweepOptions> = {}) =>
      sweepOrphans(on.docker, { killswitch: w.ks, installation: 'here', creationGraceMs: 0, ...more });

    async function population(): Promise<
      Record<'owned' | 'unknown' | 'unstarted' | 'foreign' | 'plain', string>
    > {
      const [owned, unknown, unstarted, foreign, plain] = await Promise.all([
        run(on.docker, on.image, labelled('owned')),
        run(on.docker, on.image, labelled('unknown')),
        create(on.docker, on.image, labelled('unstarted')),
        run(on.docker, on.image, labelled('unknown', 'elsewhere')),
        run(on.docker, on.image),
      ]);
      await w.enrol('owned', owned);
      return { owned, unknown, unstarted, foreign, plain };
    }

    it('removes what no live agent of this installation owns, and nothing else', async () => {
      const all = await population();
      const report = await sweep();
      expect(report).toMatchObject({ kept: 1 });
      expect(report.skipped).toBeUndefined();
      expect(
        report.orphans
          .map(({ agentId, removed }) => ({ agentId, removed }))
          .sort((a, b) => (a.agentId < b.agentId ? -1 : 1)),
      ).toEqual([
        { agentId: 'unknown', removed: true },
        { agentId: 'unstarted', removed: true },
      ]);
      expect(await exists(on.docker, all.unknown)).toBe(false);
      expect(await exists(on.docker, all.unstarted)).toBe(false);
      for (const id of [all.owned, all.foreign, all.plain])
        expect(pidsOf(id).length).toBeGreaterThanOrEqual(2);
      expect(await sweep()).toEqual({ orphans: [], kept: 1 });
    });

    it('dry run: names the same and removes nothing', async () => {
      const all = await population();
      const report = await sweep({ dryRun: true });
      expect(report.orphans.map(({ containerId }) => containerId).sort()).toEqual(
        [all.unknown, all.unstarted].sort(),
      );
      expect(report.orphans.every(({ removed }) => !removed)).toBe(true);
      for (const id of Object.values(all)) expect(await exists(on.docker, id)).toBe(true);
    });

    it('leaves alone what is younger than the creation grace, by the clock of its engine', async () => {
      const { unknown } = await population();
      expect(await sweep({ creationGraceMs: 60_000 })).toEqual({ orphans: [], kept: 3 });
      engine.fault = (_, path) =>
        path.startsWith('/info')
          ? {
              status: 200,
              body: JSON.stringify({
                ID: 'e',
                Name: 'n',
                DockerRootDir: '/d',
                SystemTime: '2020-01-01T00:00:00Z',
              }),
            }
          : 'pass';
      const skewed = await sweepOrphans(engine.docker, {
        killswitch: w.ks,
        installation: 'here',
        creationGraceMs: 0,
      });
      expect(skewed).toEqual({ orphans: [], kept: 3 });
      expect(await exists(on.docker, unknown)).toBe(true);
    });

    it('keeps what a pending cleanup is for, and takes what an ended agent has left', async () => {
      const pending = await run(on.docker, on.image, labelled('pending'));
      const ended = await run(on.docker, on.image, labelled('ended'));
      const agents: Record<string, object> = {
        pending: { status: 'completed', ledger: [{ status: 'pending' }] },
        ended: { status: 'killed', ledger: [{ status: 'failed' }] },
      };
      const killswitch = {
        list: async () => ({ items: [] }),
        agent: async (id: string) => agents[id] as never,
      };
      expect(await sweep({ killswitch })).toMatchObject({
        orphans: [{ containerId: ended, removed: true }],
        kept: 1,
      });
      expect(await exists(on.docker, pending)).toBe(true);
    });

    it.each(['at once', 'half-way'])(
      'does nothing when the state store does not answer: %s',
      async (when) => {
        const all = await population();
        const down = () => Promise.reject(new StateUnavailableError('down'));
        const killswitch = {
          list: when === 'at once' ? down : async () => ({ items: [] }),
          // An answer from memory that would make everybody an orphan.
          agent: when === 'at once' ? () => Promise.reject(new UnknownTargetError('agent', 'x')) : down,
        };
        expect(await sweep({ killswitch })).toMatchObject({
          skipped: expect.stringContaining('down'),
          orphans: [],
        });
        for (const id of Object.values(all)) expect(await exists(on.docker, id)).toBe(true);
      },
    );

    it('refuses to sweep without an installation', async () => {
      const options = { killswitch: w.ks } as unknown as SweepOptions;
      await expect(sweepOrphans(on.docker, options)).rejects.toMatchObject({ code: 'invalid-input' });
    });
  });

  it('the resource to admit an agent with is what the step looks for', () => {
    const agent = { agentId: 'a', handles: [], resources: [containerResource] } as unknown as Agent;
    expect(containerRemoval(on.docker).appliesTo(agent)).toBe(true);
    expect(containerRemoval(on.docker).appliesTo({ ...agent, resources: [] })).toBe(false);
  });
});
