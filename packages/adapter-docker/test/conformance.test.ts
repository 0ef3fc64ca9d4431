/**
 * The runtime and the cleanup step keep every promise of their ports, on a real engine.
 * @services docker
 */
import {
  type CleanupStepFactory,
  cleanupStepClauses,
  type RuntimeFactory,
  runtimeClauses,
} from '@agent-killswitch/conformance';
import type { Agent } from '@agent-killswitch/core';
import { afterAll, describe, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import {
  agentLabels,
  containerRemoval,
  containerResource,
  type DockerHandle,
  type DockerRuntime,
  dockerRuntime,
} from '../src/index.ts';
import { create, exists, pidsOf, run } from './support/containers.ts';
import { clientOf } from './support/engines.ts';

interface Left {
  readonly containerId: string;
  readonly handle?: DockerHandle;
  readonly resources: Agent['resources'];
}

const containerId = 'ab'.repeat(32);
/** Otherwise sound, so that it can only be the one fault in each handle that it is refused for. */
const sample = {
  runtime: 'docker',
  containerId,
  engineId: 'e',
  restarts: false,
  local: null,
};
const local = {
  bootId: '00000000-0000-4000-8000-000000000000',
  namespaces: 'n',
  pid: 71,
  startTime: 1,
  cgroup: `/docker/${containerId}`,
  freezer: null,
};
const badIds = [
  '',
  'web',
  'ab',
  'AB'.repeat(32),
  `${containerId}0`,
  containerId.slice(1),
  `../${containerId.slice(3)}`,
];
const badIdTypes = [
  null,
  7,
  [containerId],
  { id: containerId },
  `${containerId.slice(1)}\0`,
  ` ${containerId.slice(1)}`,
];
const badLocals = [
  ...[1, 0, -71, 1.5, '71', Number.NaN].map((pid) => ({ ...local, pid })),
  ...['/', '/docker', '/docker/cd', `/docker/${'cd'.repeat(32)}`, `/docker/${containerId}/..`].map(
    (cgroup) => ({ ...local, cgroup }),
  ),
  ...[
    `docker/${containerId}`,
    `/docker/${containerId}/below`,
    `/../${containerId}`,
    `/a\0/${containerId}`,
  ].map((cgroup) => ({ ...local, cgroup })),
  { ...local, cgroup: null },
  { ...local, freezer: '/' },
  { ...local, startTime: -1 },
  { ...local, bootId: 'yesterday' },
];

withService('docker', 'DOCKER_HOST', (url) => {
  const docker = clientOf(url);
  const image = process.env.DOCKER_TEST_IMAGE ?? '';
  const made: string[] = [];
  const removeAll = async (): Promise<void> => {
    const removals = made.map((id) =>
      docker
        .getContainer(id)
        .remove({ force: true })
        .catch(() => {}),
    );
    await Promise.all(removals);
  };
  afterAll(removeAll);

  function runtimes(): RuntimeFactory {
    let runtime: DockerRuntime | undefined;
    const agentIds: string[] = [];
    const malformed = (): object[] => [
      { runtime: 'docker' },
      ...[...badIds, ...badIdTypes].map((id) => ({ ...sample, containerId: id })),
      ...badLocals.map((bad) => ({ ...sample, local: bad })),
      { ...sample, engineId: '' },
      { ...sample, runtime: 'process' },
      { ...sample, agentId: 'somebody-else' },
      { ...sample, restarts: 'no' },
    ];
    return {
      async open() {
        runtime = dockerRuntime(docker);
        return runtime;
      },
      openSecond: async () => dockerRuntime(clientOf(url)),
      async startVictim(agentId) {
        if (runtime === undefined) throw new Error('open first');
        agentIds.push(agentId);
        const id = await run(docker, image, { Labels: agentLabels(agentId) });
        made.push(id);
        return { handle: await runtime.adopt(id, { agentId }), isAlive: async () => pidsOf(id).length > 0 };
      },
      get malformedHandles() {
        const agentId = agentIds[0] ?? 'a';
        return malformed().map((handle) => ({ agentId, ...handle })) as never;
      },
      close: removeAll,
    };
  }

  describe('dockerRuntime keeps the promises of the runtime port', () => {
    for (const clause of runtimeClauses) it(clause.name, () => clause.run(runtimes()));
  });

  /** The suite's agents have no handles, so the step under test is given them here. */
  function removals(leave: (agentId: string) => Promise<Left>): CleanupStepFactory {
    const handles = new Map<string, DockerHandle[]>();
    return {
      async open() {
        const step = containerRemoval(docker, { gracefulStopTimeoutSeconds: 1 });
        const full = (agent: Agent): Agent => ({ ...agent, handles: handles.get(agent.agentId) ?? [] });
        return {
          ...step,
          appliesTo: (agent) => step.appliesTo(full(agent)),
          run: (agent, context) => step.run(full(agent), context),
        };
      },
      async leave({ agentId }) {
        const { containerId, handle, resources } = await leave(agentId);
        made.push(containerId);
        if (handle !== undefined) handles.set(agentId, [handle]);
        return { resources, isGone: async () => !(await exists(docker, containerId)) };
      },
      close: removeAll,
    };
  }

  const leftovers: Record<string, (agentId: string) => Promise<Left>> = {
    'a container that runs, by its handle': async (agentId) => {
      const id = await run(docker, image);
      return { containerId: id, handle: await dockerRuntime(docker).adopt(id, { agentId }), resources: [] };
    },
    'a container that was never started, by its label': async (agentId) => {
      const id = await create(docker, image, { Labels: agentLabels(agentId) });
      return { containerId: id, resources: [containerResource] };
    },
  };

  for (const [name, leave] of Object.entries(leftovers)) {
    describe(`containerRemoval keeps every promise of a cleanup step for ${name}`, () => {
      for (const clause of cleanupStepClauses) it(clause.name, () => clause.run(removals(leave)));
    });
  }

  it('leaves nothing behind', async () => {
    const there = (await docker.listContainers({ all: true })).map(({ Id }) => Id);
    expect(made.filter((id) => there.includes(id))).toEqual([]);
  });
});
