import type { KillswitchOptions } from '@agent-killswitch/core';
import type { SeededRandom } from '../seeded-random.ts';
import { isAlive } from './body.ts';
import { Life } from './life.ts';
import { perform } from './port-call.ts';
import { endBody } from './service.ts';
import { simulatedRuntimes } from './simulated-runtimes.ts';
import { watchedSink } from './watched-sink.ts';
import { watchedStore } from './watched-store.ts';
import type { World } from './world.ts';

/** Brings the hosts up, down and back. */
export class Hosts {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #counts = new Map<string, number>();

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** Starts a life of the host, unless it is living one. */
  boot(hostId: string): void {
    const world = this.#world;
    if (world.up.has(hostId)) return;
    const count = (this.#counts.get(hostId) ?? 0) + 1;
    this.#counts.set(hostId, count);
    const machine = Math.ceil(Number(hostId.slice(1)) / 2);
    const life = new Life(hostId, count, machine, world.timeline, this.#random.fork());
    if (world.faults.strikes('host: crash before effect', 3)) life.doom = this.#doom('before effect');
    else if (world.faults.strikes('host: crash after effect', 3)) life.doom = this.#doom('after effect');
    // A doom counts when it comes true.
    world.history.lives.push(life);
    world.up.set(hostId, life);
    world.trace(life.name, 'boots');
    life.killswitch = world.core.createKillswitch(this.#options(life));
    this.#listen(life);
    void this.#start(life);
  }

  /** Ends a life without a warning and brings the host back later. */
  crash(life: Life, why: string): void {
    const { timeline, up, faults, deadlines } = this.#world;
    if (life.isDead) return;
    this.#world.trace(life.name, `crashes ${why}`);
    up.delete(life.hostId);
    life.die(timeline.now);
    const isLong = faults.strikes('host: lease lost', 4);
    if (isLong) this.#world.trace(life.hostId, 'stays down for longer than its lease');
    const ms = this.#random.integer(0, 1_500) + (isLong ? deadlines.lease + 1_000 : 0);
    timeline.after(ms, () => this.boot(life.hostId));
  }

  /** Closes the killswitch, then ends the process. */
  shutDown(life: Life): void {
    this.#world.trace(life.name, 'shuts down');
    life.isClosing = true;
    const end = (): void => this.crash(life, 'after its shutdown');
    // It rejects with what it could not save; the process ends all the same.
    void life.killswitch.close().then(end, end);
    this.#world.timeline.after(3_000, () => this.crash(life, 'since its shutdown takes too long'));
  }

  #doom(when: 'before effect' | 'after effect'): Life['doom'] {
    return { calls: this.#random.integer(10, 250), when };
  }

  #options(life: Life): KillswitchOptions {
    const world = this.#world;
    const policy = world.core.rolePolicy();
    const { history, approvals, deadlines } = world;
    const step = (name: string) => ({
      name,
      appliesTo: () => true,
      run: (agent: { readonly agentId: string }) =>
        perform(world, life, {
          port: 'cleanup',
          what: `${name} of ${agent.agentId}`,
          effect: () => {
            const body = history.bodies.get(agent.agentId);
            if (isAlive(body) && body?.isLate !== true)
              history.broken.push(`I3: ${name} of ${agent.agentId} is cleaned up while it lives`);
          },
        }),
    });
    return {
      hostId: life.hostId,
      state: watchedStore(world, life),
      audit: watchedSink(world, life),
      runtimes: simulatedRuntimes(world, life),
      cleanup: [step('credentials'), step('worktree')],
      authorizer: {
        decide: (request) =>
          perform(world, life, {
            port: 'authorizer',
            what: `authorizer.decide ${request.action}`,
            effect: () => policy.decide(request),
          }),
      },
      release: { approvals },
      deadlines,
      clock: life.clock,
      randomBytes: (bytes) => {
        for (let i = 0; i < bytes.length; i++) bytes[i] = life.random.integer(0, 256);
      },
      lastResort: (line) => history.lastResort.push({ life, event: JSON.parse(line) }),
    };
  }

  async #start(life: Life): Promise<void> {
    for (;;) {
      try {
        await life.killswitch.start();
        life.readyAt = this.#world.timeline.now;
        return;
      } catch (error) {
        life.failedStarts += 1;
        this.#world.trace(life.name, `cannot start: ${error}`);
        await life.pause(300);
      }
    }
  }

  #listen(life: Life): void {
    const { history, faults, trace, timeline } = this.#world;
    life.killswitch.on('step', ({ step, order, agentId }) => {
      if (step === 'signalled' && agentId !== undefined)
        life.signalled.set(agentId, (life.signalled.get(agentId) ?? 0) + 1);
      if (step === 'requested' && !life.isDead) {
        // What was to join another order, and a call went wrong since, is a stop of this host's own: the store has not got it.
        if (life.toJoin.has(order.orderId) && life.wasDisturbed('store', order.requestedAt, timeline.now))
          life.placementsHeard.delete(order.orderId);
        const isUnplaced = !life.placementsHeard.has(order.orderId);
        history.requested.push({ ...history.moment(), order, life, isUnplaced });
      }
    });
    const strikes = (kind: 'throw' | 'hang'): boolean => {
      const isStruck = faults.strikes(`listener: ${kind}`);
      if (isStruck) trace(life.name, `a listener of it will ${kind}`);
      return isStruck;
    };
    for (const name of ['step', 'transition', 'audit-degraded', 'warning'] as const) {
      life.killswitch.on(name, () => {
        if (strikes('throw')) throw new Error('a listener');
      });
      life.killswitch.on(name, (() =>
        strikes('hang') ? new Promise(() => undefined) : undefined) as () => void);
    }
  }
}

/** Ends what would live for ever: from now on every body does as it is told. */
export function makeMortal(world: World): void {
  for (const body of world.history.bodies.values()) body.behaviour = 'cooperative';
  for (const body of world.history.bodies.values())
    if (isAlive(body) && body.kind === 'thread' && world.up.get(body.hostId) === undefined)
      endBody(world, body, 'with its host');
}
