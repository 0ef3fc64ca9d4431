import { isKillswitchError, type NewAgent } from '@agent-killswitch/core';
import { type Body, drawBehaviour, drawKind, isAlive } from './body.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import type { Member } from './people.ts';
import { handlesOf } from './simulated-runtimes.ts';
import type { World } from './world.ts';

/**
 * The embedding service on one life of a host: asks for admission, starts the agent only if that was granted, says how it
 * is reached, and says when it has ended. All of this stops where its host dies.
 */
export async function launch(world: World, life: Life, agent: NewAgent): Promise<void> {
  const { history, random } = world;
  const call = {
    ...history.moment(),
    life,
    agentId: agent.agentId,
    agent: memberOf(history, life.hostId, agent),
  };
  history.admits.push(call);
  const parent = agent.parentId === undefined ? '' : `, a child of ${agent.parentId}`;
  world.trace(
    life.name,
    `its service asks to admit ${agent.agentId} for ${agent.taskId} on ${agent.backendId}${parent}`,
  );
  const { killswitch } = life;
  try {
    await killswitch.admit(agent);
  } catch (error) {
    Object.assign(call, { answer: { ...history.moment(), error } });
    world.trace(life.name, `admission of ${agent.agentId} is refused: ${error}`);
    return;
  }
  Object.assign(call, { answer: history.moment() });
  await life.pause(random.pick([0, 0, 5, 50, 400]));
  const isGivenUp = random.chance(0.1);
  if (isGivenUp) {
    await sayEnd(world, life, agent.agentId, new Error('no room'));
    // A service that has given up too early: what it had asked for starts all the same.
    if (random.chance(0.7)) return;
    await life.pause(random.pick([0, 5, 300]));
  }
  const body = startBody(world, life, agent.agentId, isGivenUp);
  await life.pause(random.pick([0, 0, 5, 50, 700]));
  const handles = handlesOf(body);
  const [preferred, ...direct] = handles;
  const isPartial = direct.length > 0 && random.chance(0.4);
  await say(life, () => killswitch.running(agent.agentId, isPartial ? direct : handles));
  body.knownAt = world.timeline.now;
  body.knownSeq = history.moment().seq;
  if (isPartial) {
    await life.pause(random.integer(0, 2_000));
    await say(life, () => killswitch.running(agent.agentId, [preferred]));
  }
  if (random.chance(0.35)) {
    await life.pause(random.integer(0, 4_000));
    endBody(world, body, 'by itself');
  }
}

function memberOf(
  history: History,
  hostId: string,
  { agentId, taskId, workspaceId, backendId, parentId }: NewAgent,
): Member {
  const parent = parentId === undefined ? undefined : history.admissions.get(parentId)?.agent;
  const lineage = parent === undefined ? [] : [parent.agentId, ...parent.lineage];
  return { agentId, taskId, workspaceId, backendId: backendId ?? 'local', hostId, lineage };
}

function startBody(world: World, life: Life, agentId: string, isLate: boolean): Body {
  const { history, random, faults } = world;
  const { seq, at } = history.moment();
  const kind = drawKind(random);
  const nature = drawBehaviour(random, faults);
  const body: Body = {
    agentId,
    hostId: life.hostId,
    machine: life.machine,
    kind,
    isOrchestrated: kind === 'container' && random.chance(0.4),
    nature,
    behaviour: nature,
    startedAt: at,
    startedSeq: seq,
    isLate,
    lifeName: life.name,
    troubles: [],
  };
  history.bodies.set(agentId, body);
  const late = isLate ? ', after it has given it up' : '';
  world.trace(life.name, `starts ${agentId}, a ${body.behaviour} ${kind}${late}`);
  // What lives in the host's process dies with it, whatever it is like.
  if (kind === 'thread') life.onEnd(() => endBody(world, body, 'with its host'));
  return body;
}

/** It is gone; often whoever watches it on its host says so to the killswitch. */
export function endBody(world: World, body: Body, why: string): void {
  if (!isAlive(body)) return;
  const { timeline, random, up } = world;
  const { at, seq } = world.history.moment();
  body.diedAt = at;
  body.diedSeq = seq;
  world.trace('world', `${body.agentId} dies: ${why}`);
  if (why !== 'by itself' && random.chance(0.5)) return;
  timeline.after(random.integer(0, 50), () => {
    const life = up.get(body.hostId);
    if (life === undefined || !life.isReady || body.knownAt === undefined) return;
    void sayEnd(world, life, body.agentId, random.chance(0.7) ? undefined : new Error('it broke'));
  });
}

/** Says that an agent has ended, with or without an error, until it is heard. */
async function sayEnd({ history }: World, life: Life, agentId: string, error?: Error): Promise<void> {
  const { killswitch } = life;
  await say(life, async () => {
    const asked = history.moment();
    const isRecorded = await (error === undefined
      ? killswitch.completed(agentId)
      : killswitch.failed(agentId, error));
    history.ends.push({ ...asked, life, agentId, answer: { ...history.moment(), isRecorded } });
  });
}

/** Says something until it is heard, as a service does that takes its word seriously. */
async function say(life: Life, word: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await word();
      return;
    } catch (error) {
      if (!isKillswitchError(error, 'state-unavailable')) return;
      await life.pause(300);
    }
  }
}
