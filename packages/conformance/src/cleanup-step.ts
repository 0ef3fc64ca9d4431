import { type Agent, type CleanupStep, idSchema } from '@agent-killswitch/core';
import { type Clause, expectThat } from './clause.ts';
import { closing, frozen, within } from './within.ts';

/** How the suite gets at the cleanup step under test, and at something for it to clean up. */
export interface CleanupStepFactory {
  /** A step, ready for use. */
  open(): Promise<CleanupStep>;
  /**
   * Makes in the outside world what this agent would have left, and says how the agent's record names it. The suite
   * asks for several agents, some with ids that resemble each other.
   */
  leave(agent: Agent): Promise<Leftover>;
  /** Ends and removes whatever was made. Called once after each clause, also after one that failed. */
  close?(): Promise<void>;
}

export interface Leftover {
  /** What stands in the agent's record. */
  readonly resources: Agent['resources'];
  /** Whether it is all gone, found out without the step under test. */
  isGone(): Promise<boolean>;
}

export type CleanupStepClause = Clause<CleanupStepFactory>;

/** How long one run may take, and how long one may go on after it was told to stop, in milliseconds. */
const runMs = 10_000;
const abortedMs = 2_000;
const never = new AbortController().signal;

/** A killed agent's record with these resources, as the core hands it to a step. Nobody may change it. */
function agentOf(agentId: string, resources: Agent['resources'] = []): Agent {
  return frozen({
    agentId,
    taskId: `task-of-${agentId}`,
    sessionIds: [],
    workspaceId: 'w',
    ownerId: 'o',
    backendId: 'local',
    lineage: [],
    hostId: 'h',
    revision: 4,
    handles: [],
    resources,
    ledger: [{ step: 'any', status: 'pending', tries: 0 }],
    spawnedAt: 1_700_000_000_000,
    status: 'killed',
    completedAt: 1_700_000_001_000,
    kill: {
      orderIds: ['order'],
      statusBefore: 'running',
      requestedAt: 1_700_000_000_500,
      confirmedAt: 1_700_000_001_000,
      evidence: 'gone',
      errors: [],
    },
  } satisfies Agent);
}

async function left(factory: CleanupStepFactory, agentId: string): Promise<Leftover & { agent: Agent }> {
  const leftover = await factory.leave(agentOf(agentId));
  const agent = agentOf(agentId, [...leftover.resources]);
  expectThat(!(await leftover.isGone()), `the factory leaves something of agent "${agentId}"`);
  return { ...leftover, agent, isGone: () => leftover.isGone() };
}

/** Runs the step, which must succeed. */
async function clean(step: CleanupStep, agent: Agent): Promise<void> {
  const run = attempt(step, agent, never);
  const outcome = await within(runMs, run, `a run for agent "${agent.agentId}" settles`);
  expectThat(outcome === undefined, `a run for agent "${agent.agentId}" succeeds, instead of: ${outcome}`);
}

/** What a run rejects with, as text; `undefined` when it succeeds. */
function attempt(step: CleanupStep, agent: Agent, signal: AbortSignal): Promise<string | undefined> {
  return (async () => step.run(agent, { signal }))().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

/** Every promise of the `CleanupStep` port. */
export const cleanupStepClauses: readonly CleanupStepClause[] = [
  closing('it has a name, and limits that make sense', async (factory: CleanupStepFactory) => {
    const { name, limits = {} } = await factory.open();
    expectThat(idSchema.safeParse(name).success, `its name is an id, not ${JSON.stringify(name)}`);
    const { deadlineMs = 1, tries = 1, backoffMs = 0 } = limits;
    const areSound =
      [deadlineMs, tries, backoffMs].every(Number.isFinite) && deadlineMs > 0 && tries >= 1 && backoffMs >= 0;
    expectThat(areSound, `its limits make sense, not ${JSON.stringify(limits)}`);
  }),

  closing('run removes what the agent left (REQUIREMENTS B4)', async (factory: CleanupStepFactory) => {
    const step = await factory.open();
    const { agent, isGone } = await left(factory, 'a');
    expectThat(step.appliesTo(agent) === true, 'appliesTo says that there is something to do');
    await clean(step, agent);
    expectThat(await isGone(), 'everything is gone when run resolves');
  }),

  closing('run after success succeeds again (idempotent)', async (factory: CleanupStepFactory) => {
    const step = await factory.open();
    const { agent, isGone } = await left(factory, 'a');
    for (let run = 0; run < 3; run += 1) await clean(step, agent);
    // After a restart another object does the same work.
    await clean(await factory.open(), agent);
    expectThat(await isGone(), 'everything stays gone');
  }),

  closing(
    'two runs at once leave nothing behind that one more does not remove',
    async (factory: CleanupStepFactory) => {
      const step = await factory.open();
      const { agent, isGone } = await left(factory, 'a');
      const both = Promise.all([attempt(step, agent, never), attempt(step, agent, never)]);
      await within(runMs, both, 'two runs at once settle');
      await clean(step, agent);
      expectThat(await isGone(), 'everything is gone');
    },
  ),

  closing(
    'appliesTo is synchronous, answers any agent, and does nothing',
    async (factory: CleanupStepFactory) => {
      const step = await factory.open();
      const { agent, isGone } = await left(factory, 'a');
      const odd: Agent['resources'] = [
        { kind: agent.resources[0]?.kind ?? 'odd' },
        { kind: 'odd', path: null, deep: [{}] },
      ];
      for (const each of [agent, agentOf('nothing'), agentOf('odd', odd), agentOf('other', odd.slice(1))]) {
        for (let look = 0; look < 20; look += 1)
          expectThat(isAnswer(step, each), 'appliesTo answers true or false');
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
      expectThat(!(await isGone()), 'appliesTo removes nothing');
    },
  ),

  closing(
    'run settles soon when its signal has been aborted, and the next one cleans up',
    async (factory: CleanupStepFactory) => {
      const step = await factory.open();
      const { agent, isGone } = await left(factory, 'a');
      const stopped = attempt(step, agent, AbortSignal.abort(new Error('its time is up')));
      await within(abortedMs, stopped, 'a run with an aborted signal settles');
      await clean(step, agent);
      expectThat(await isGone(), 'everything is gone after the next run');
    },
  ),

  closing('run settles soon when its signal is aborted on the way', async (factory: CleanupStepFactory) => {
    const step = await factory.open();
    const { agent, isGone } = await left(factory, 'a');
    const controller = new AbortController();
    const run = attempt(step, agent, controller.signal);
    controller.abort(new Error('its time is up'));
    await within(abortedMs, run, 'an aborted run settles');
    await clean(step, agent);
    expectThat(await isGone(), 'everything is gone after the next run');
  }),

  closing(
    'run touches nothing of another agent, however alike the ids are',
    async (factory: CleanupStepFactory) => {
      const step = await factory.open();
      const victims = [];
      for (const agentId of ['a', 'aa', 'a.b', 'a-b', 'A', '-a']) victims.push(await left(factory, agentId));
      for (const [at, { agent, isGone }] of victims.entries()) {
        await clean(step, agent);
        expectThat(await isGone(), `what agent "${agent.agentId}" left is gone`);
        for (const other of victims.slice(at + 1)) {
          expectThat(!(await other.isGone()), `what agent "${other.agent.agentId}" left is still there`);
        }
      }
    },
  ),
];

function isAnswer(step: CleanupStep, agent: Agent): boolean {
  try {
    return typeof step.appliesTo(agent) === 'boolean';
  } catch {
    return false;
  }
}
