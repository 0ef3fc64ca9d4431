import { isKillswitchError, type NewAgent, type Principal, type Scope } from '@agent-killswitch/core';
import type { SeededRandom } from '../seeded-random.ts';
import { isAlive } from './body.ts';
import type { ReleaseCall, StopCall } from './history.ts';
import type { Life } from './life.ts';
import { backends, mayStop, people, root, tasks, workspaces } from './people.ts';
import { launch } from './service.ts';
import type { World } from './world.ts';

/** What somebody wants stopped, and how. */
type Demand = Pick<StopCall, 'scope' | 'kind'> & { readonly hold: boolean };

/** Everybody who uses the hosts: asks for admissions, stops, releases and previews by chance. */
export class Asking {
  readonly #world: World;
  readonly #random: SeededRandom;
  #count = 0;
  #last: Demand | undefined;

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** One thing that somebody does on some host, if one is up. */
  next(): void {
    const ready = [...this.#world.up.values()].filter((life) => life.isReady);
    if (ready.length === 0) return;
    const life = this.#random.pick(ready);
    const dice = this.#random.next();
    if (dice < 0.5) this.admit(life);
    else if (dice < 0.82) void this.#stop(life);
    else if (dice < 0.93) void this.#release(life);
    else void this.#preview(life);
  }

  admit(life: Life): void {
    const random = this.#random;
    const isNear = random.chance(0.7);
    const parents = [...this.#world.history.admissions.values()].filter(
      ({ agent }) => !isNear || agent.hostId === life.hostId,
    );
    const parent = parents.length > 0 && random.chance(0.3) ? random.pick(parents).agent : undefined;
    const place = parent ?? random.pick(tasks);
    const { taskId, workspaceId, ownerId } = place;
    const agent: NewAgent = {
      agentId: `a${++this.#count}`,
      taskId,
      workspaceId,
      ownerId,
      backendId: random.pick(backends),
      ...(parent === undefined ? {} : { parentId: parent.agentId }),
    };
    void launch(this.#world, life, agent);
  }

  async #stop(life: Life, demand = this.#demand()): Promise<void> {
    const { history } = this.#world;
    const random = this.#random;
    const { scope, kind, hold } = demand;
    const principal = this.#principal(scope);
    const reason = `reason ${++this.#count}`;
    const waitMs = random.chance(0.15) ? random.integer(0, 1_000) : undefined;
    const graceMs = kind === 'stop' ? random.integer(100, 2_500) : 0;
    const call: StopCall = { ...history.moment(), life, kind, scope, principal, reason, graceMs, waitMs };
    history.stops.push(call);
    this.#world.trace(life.name, `${principal.id} asks to ${kind} ${JSON.stringify(scope)}, ${reason}`);
    const request = { principal, reason, waitMs };
    const held = { ...request, hold };
    const { killswitch } = life;
    const work =
      kind === 'emergency-stop'
        ? killswitch.emergencyStop(request)
        : kind === 'revoke-backend' && 'backend' in scope
          ? killswitch.revokeBackend(scope.backend, request)
          : kind === 'stop'
            ? killswitch.stop(scope, { ...held, graceMs })
            : killswitch.kill(scope, held);
    const outcome = await work.then(
      (report) => ({ report }),
      (error: unknown) => ({ error }),
    );
    const alive = [...history.bodies.values()].filter(isAlive).map(({ agentId }) => agentId);
    call.answer = { ...history.moment(), ...outcome, alive };
    this.#world.trace(life.name, `${reason} is answered: ${summary(outcome)}`);
  }

  /** `again`: what others have asked to release already. */
  async #release(life: Life, again?: Scope): Promise<void> {
    const { history } = this.#world;
    const random = this.#random;
    const held = history.gates.filter(
      ({ opens, openedSeq }) => opens === 'on-release' && openedSeq === undefined,
    );
    const any = random.pick<Scope>([
      { everything: true },
      { workspace: random.pick(workspaces) },
      { backend: random.pick(backends) },
    ]);
    const scope = again ?? (held.length > 0 && random.chance(0.7) ? random.pick(held).scope : any);
    const principal = again === undefined && random.chance(0.6) ? root : random.pick(people);
    // Somebody stops it again while the release is on its way.
    if (random.chance(0.2))
      this.#world.timeline.after(random.integer(0, 12), () => {
        if (!life.isDead) void this.#stop(life, latchOf(scope));
      });
    const reason = `reason ${++this.#count}`;
    const call: ReleaseCall = { ...history.moment(), life, scope, principal, reason };
    history.releases.push(call);
    this.#world.trace(life.name, `${principal.id} asks to release ${JSON.stringify(scope)}, ${reason}`);
    const outcome: { released?: boolean; opened?: number; error?: unknown } = await life.killswitch
      .release(scope, { principal, reason })
      .then(
        ({ released, gates }) => ({ released, opened: released ? gates.length : 0 }),
        (error: unknown) => ({ error }),
      );
    call.answer = { ...history.moment(), ...outcome };
    this.#world.trace(life.name, `${reason} is answered: ${JSON.stringify(outcome.released)}`);
    // It takes more people: often somebody else asks soon.
    if (outcome.released === false && random.chance(0.8)) {
      await life.pause(random.integer(0, 300));
      await this.#release(life, scope);
    }
  }

  async #preview(life: Life): Promise<void> {
    const { history } = this.#world;
    const scope = this.#scope();
    const principal = this.#principal(scope);
    this.#world.trace(life.name, `${principal.id} asks for a preview of ${JSON.stringify(scope)}`);
    try {
      const { agents } = await life.killswitch.preview(scope, principal);
      for (const { agentId, workspaceId, ownerId } of agents)
        if (!mayStop(principal.id, scope, workspaceId, ownerId))
          history.broken.push(`I11: ${principal.id} previews ${agentId} of ${workspaceId}`);
    } catch (error) {
      const isNamed = (['forbidden', 'unknown-target', 'state-unavailable'] as const).some((code) =>
        isKillswitchError(error, code),
      );
      if (!isNamed)
        history.broken.push(`a preview of ${JSON.stringify(scope)} fails without a name: ${error}`);
    }
  }

  /** Something new, or once more what was asked for last: the button is pressed twice, or by two people (I7). */
  #demand(): Demand {
    const random = this.#random;
    if (this.#last !== undefined && random.chance(0.3)) return this.#last;
    const scope = this.#scope();
    const isWide = !('agent' in scope || 'task' in scope);
    const latches = ('everything' in scope || 'backend' in scope) && random.chance(0.4);
    const latch = 'everything' in scope ? 'emergency-stop' : 'revoke-backend';
    const kind = latches ? latch : random.pick(['kill', 'kill', 'stop'] as const);
    this.#last = { scope, kind, hold: isWide && random.chance(0.25) };
    return this.#last;
  }

  #scope(): Scope {
    const random = this.#random;
    const known = [...this.#world.history.admissions.keys()];
    return random.pick<() => Scope>([
      () => ({ agent: known.length === 0 ? 'a1' : random.pick(known.slice(-6)) }),
      () => ({ agent: known.length === 0 ? 'a1' : random.pick(known) }),
      () => ({ task: random.pick(tasks).taskId }),
      () => ({ task: random.pick(tasks).taskId }),
      () => ({ workspace: random.pick(workspaces) }),
      () => ({ workspace: random.pick(workspaces) }),
      () => ({ backend: random.pick(backends) }),
      () => ({ everything: true }),
    ])();
  }

  /** Mostly somebody who may. */
  #principal(scope: Scope): Principal {
    const random = this.#random;
    if (random.chance(0.25)) return random.pick(people);
    const facts = 'task' in scope ? tasks.find(({ taskId }) => taskId === scope.task) : undefined;
    const workspaceId = 'workspace' in scope ? scope.workspace : facts?.workspaceId;
    const entitled = people.filter(({ id }) => mayStop(id, scope, workspaceId, facts?.ownerId));
    return random.pick(entitled);
  }
}

/** The stop whose gate a release of this scope opens. */
function latchOf(scope: Scope): Demand {
  if ('everything' in scope) return { scope, kind: 'emergency-stop', hold: false };
  if ('backend' in scope) return { scope, kind: 'revoke-backend', hold: false };
  return { scope, kind: 'kill', hold: true };
}

function summary(outcome: { readonly report?: unknown; readonly error?: unknown }): string {
  if (outcome.error !== undefined) return String(outcome.error);
  const { settled, total, killed, failed, orderId, errors } = outcome.report as Record<string, unknown>;
  return JSON.stringify({ orderId, settled, total, killed, failed, errors });
}
