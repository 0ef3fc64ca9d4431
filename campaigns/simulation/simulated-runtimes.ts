import type { Handle, Observation, Runtime } from '@agent-killswitch/core';
import { type Behaviour, type Body, isAlive, type Kind } from './body.ts';
import type { Life } from './life.ts';
import { perform } from './port-call.ts';
import { endBody } from './service.ts';
import type { World } from './world.ts';

const reaches = { thread: 'host', process: 'machine', container: 'network' } as const;
const deadly: Record<'stop' | 'kill' | 'force', readonly Behaviour[]> = {
  stop: ['graceful'],
  kill: ['graceful', 'cooperative'],
  force: ['graceful', 'cooperative', 'slow', 'stubborn'],
};

/** How a body is reached, the preferred route first. */
export function handlesOf({ agentId, kind, isOrchestrated }: Body): [Handle, ...Handle[]] {
  const direct = { runtime: kind, id: agentId };
  return isOrchestrated ? [{ runtime: 'orchestrator', id: agentId }, direct] : [direct];
}

/** The runtimes of one life of a host: three kinds of body, and an orchestrator that reaches some of them too. */
export function simulatedRuntimes(world: World, life: Life): Record<string, Runtime> {
  return {
    thread: runtime(world, life, 'thread', 'thread'),
    process: runtime(world, life, 'process', 'process'),
    container: runtime(world, life, 'container', 'container'),
    orchestrator: runtime(world, life, 'container', 'orchestrator'),
  };
}

function runtime(world: World, life: Life, kind: Kind, name: string): Runtime {
  const { history } = world;

  const call = <T>(what: string, agentId: string, effect: (body: Body | undefined) => T | Promise<T>) => {
    const body = history.bodies.get(agentId);
    const asked = `${name}.${what}`;
    let isHung = false;
    /** Once per call, though both the network and the agent may keep it. */
    const hang = (): void => {
      const key = `${asked} ${agentId}`;
      if (!isHung) life.hanging.set(key, (life.hanging.get(key) ?? 0) + 1);
      isHung = true;
    };
    return perform(world, life, {
      port: 'runtime',
      what: `${asked} ${agentId}`,
      effect: async () => {
        if (body !== undefined && kind === 'process' && body.machine !== life.machine)
          throw new Error('it runs on another machine');
        if (body !== undefined && isAlive(body) && what !== 'locate')
          await resist(body, () => {
            world.trace(life.name, `${asked} ${agentId}: the agent never lets it come back`);
            hang();
          });
        return effect(body);
      },
      onDisturbed: () => body?.troubles.push({ at: world.timeline.now, life, call: asked, isHung: false }),
      onHung: () => {
        const trouble = body?.troubles.at(-1);
        if (trouble !== undefined) trouble.isHung = true;
        hang();
      },
    });
  };

  const demand = (what: 'stop' | 'kill' | 'force') => (handle: Handle) =>
    call(what, String(handle.id), (body) => {
      if (body === undefined || !isAlive(body)) return;
      if (deadly[what].includes(body.behaviour)) endBody(world, body, `${name}.${what}`);
      else if (body.behaviour === 'slow' && what === 'kill')
        world.timeline.after(world.random.integer(50, 1_500), () => endBody(world, body, 'slowly'));
    });

  return {
    reach: reaches[kind],
    canForce: name !== 'orchestrator',
    stop: demand('stop'),
    kill: demand('kill'),
    force: demand('force'),
    inspect: (handle) =>
      call('inspect', String(handle.id), (body): Observation => {
        if (body === undefined) return { state: 'unknown', evidence: 'never heard of it' };
        return isAlive(body)
          ? { state: 'alive', evidence: `${body.kind} runs` }
          : { state: 'dead', evidence: `${body.kind} is gone` };
      }),
    ...(kind === 'thread'
      ? {}
      : { locate: (agentId: string) => call('locate', agentId, located(kind, name, life)) }),
  };
}

/** Finds what runs here; what another machine runs is no business of a runtime of processes. */
function located(kind: Kind, name: string, life: Life) {
  return (body: Body | undefined): Handle[] => {
    if (body === undefined || !isAlive(body) || body.kind !== kind) return [];
    if (kind === 'process' && body.machine !== life.machine) return [];
    if (name === 'orchestrator' && !body.isOrchestrated) return [];
    return [{ runtime: name, id: body.agentId }];
  };
}

/** What an agent that cannot be handled does to every call on it. */
async function resist(body: Body, onHung: () => void): Promise<void> {
  if (body.behaviour === 'failing') throw new Error('the runtime failed');
  if (body.behaviour !== 'hung') return;
  onHung();
  await new Promise(() => undefined);
}
