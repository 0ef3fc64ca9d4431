import type { Life, Port } from './life.ts';
import { outageOf, type World } from './world.ts';

export interface PortCall<T> {
  readonly port: Port;
  /** For the trace. */
  readonly what: string;
  /** Does it, all at once as far as the world can see. */
  readonly effect: () => T | Promise<T>;
  /** Hears that a call went wrong by itself. */
  readonly onDisturbed?: () => void;
  /** Hears that a call will never come back. */
  readonly onHung?: () => void;
}

const usualMs = [0, 0, 0, 0, 1, 1, 2, 5] as const;

/**
 * The one way from a host to anything outside it: the request travels, has its effect, and the answer travels back, each
 * a happening of its own, and on the way everything can go wrong that a network or a crash can do. A dead host hears
 * nothing any more.
 */
export function perform<T>(world: World, life: Life, call: PortCall<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (life.isDead) return;
    const { timeline, faults, random } = world;
    const { port, what } = call;

    const disturbed = (how: string): void => {
      world.trace(life.name, `${what}: ${how}`);
      life.disturbed[port].push(timeline.now);
      call.onDisturbed?.();
    };
    if (port === 'runtime') life.lastDemand = { at: timeline.now, what };
    if (port === 'sink') life.appends += 1;
    const answer = (settle: () => void): void => {
      timeline.after(random.pick(usualMs), () => {
        if (port === 'sink') life.appends -= 1;
        if (!life.isDead) settle();
      });
    };
    const refuse = (how: string): void => {
      disturbed(how);
      answer(() => reject(new Error(`${port} ${how}`)));
    };
    /** A sink that hangs does so like a broken connection, which is noticed at last: it is given all the time it wants. */
    const hang = (how: string): unknown => {
      disturbed(how);
      if (port !== 'sink') return call.onHung?.();
      timeline.after(random.integer(500, 6_000), () => refuse('gives up'));
    };
    const run = async (): Promise<T> => call.effect();

    const arrive = (): unknown => {
      if (life.isDead) return arriveLate();
      const doom = life.doom;
      if (doom !== undefined) doom.calls -= 1;
      const isDoomed = doom !== undefined && doom.calls <= 0;
      if (isDoomed && doom.when === 'before effect') {
        faults.count('host: crash before effect');
        return world.crash(life, `before ${what}`);
      }
      const outage = outageOf(world, port, life.hostId);
      if (outage !== undefined && port !== 'runtime') {
        if (port === 'store' || port === 'sink') faults.count(`${port}: outage`);
        if (outage.mode === 'refuses') return refuse('is down');
        if (outage.mode === 'answers lost') run().catch(() => undefined);
        return hang('is down and says nothing');
      }
      if (faults.strikes(`${port}: throw before effect`)) return refuse('throws before the effect');
      if (faults.strikes(`${port}: hang`)) {
        if (random.chance(0.5)) run().catch(() => undefined);
        return hang('hangs');
      }
      const isLost = faults.strikes(`${port}: throw after effect`);
      run().then(
        (value) => {
          world.trace(life.name, what);
          if (isDoomed) {
            faults.count('host: crash after effect');
            return world.crash(life, `after ${what}`);
          }
          if (isLost) return refuse('throws after the effect');
          answer(() => resolve(value));
        },
        (error) => {
          world.trace(life.name, `${what}: ${error}`);
          answer(() => reject(error));
        },
      );
    };
    /** A request that was on its way when its host crashed gets through or not. */
    const arriveLate = (): void => {
      if (!random.chance(0.5)) return;
      faults.count('host: request applied after crash');
      world.trace(life.name, `${what}: after the crash`);
      run().catch(() => undefined);
    };

    let ms: number = random.pick(usualMs);
    if (faults.strikes(`${port}: delay`)) {
      ms = random.integer(20, Math.ceil(world.deadlines.state * 1.5));
      disturbed(`takes ${ms} ms`);
    }
    timeline.after(ms, arrive);
  });
}
