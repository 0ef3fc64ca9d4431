import type { Clock, Killswitch } from '@agent-killswitch/core';
import type { SeededRandom } from '../seeded-random.ts';
import type { Timeline } from './timeline.ts';

export type Port = 'store' | 'sink' | 'runtime' | 'cleanup' | 'authorizer';

/** After so many answers of ports the host crashes, before or after the effect of the last one. */
export interface Doom {
  calls: number;
  readonly when: 'before effect' | 'after effect';
}

/** One life of a host's process: from its start to its crash or shutdown. Nothing of it goes on after that. */
export class Life {
  readonly hostId: string;
  readonly machine: number;
  readonly name: string;
  readonly bornAt: number;
  readonly clock: Clock;
  readonly random: SeededRandom;
  diedAt: number | undefined;
  /** When `start()` resolved. */
  readyAt: number | undefined;
  doom: Doom | undefined;
  /** It has begun to shut down. */
  isClosing = false;
  /** When a port's calls went wrong for it. */
  readonly disturbed: Record<Port, number[]> = {
    store: [],
    sink: [],
    runtime: [],
    cleanup: [],
    authorizer: [],
  };
  /** Ids of agents whose admission the store has told it of. */
  readonly admissionsHeard = new Set<string>();
  /** Where in the history it heard from the store what became of an order that it placed, by the order's id. */
  readonly placementsHeard = new Map<string, number>();
  /** Ids of orders that it has told the store of. */
  readonly placing = new Set<string>();
  /** Ids of orders that the store has not taken, since another one is open that they are to join. */
  readonly toJoin = new Set<string>();
  /** Calls on runtimes that will never come back, by agent and kind of call. */
  readonly hanging = new Map<string, number>();
  /** How often it said to have told an agent to die for the first time: once per volley and per pursuit without one. */
  readonly signalled = new Map<string, number>();
  /** How often `start()` has rejected: each looks at the agents of earlier lives anew. */
  failedStarts = 0;
  /** The last call on a runtime. */
  lastDemand: { readonly at: number; readonly what: string } | undefined;
  /** Calls on the sink that have not come back yet. */
  appends = 0;
  /** Timers of the library that have neither fired nor been cancelled. */
  timers = 0;
  #killswitch: Killswitch | undefined;
  #endings: Array<() => void> = [];

  constructor(hostId: string, count: number, machine: number, timeline: Timeline, random: SeededRandom) {
    this.hostId = hostId;
    this.machine = machine;
    this.name = `${hostId}#${count}`;
    this.bornAt = timeline.now;
    this.random = random;
    this.clock = {
      now: () => timeline.now,
      setTimer: (ms, fire) => {
        this.timers += 1;
        let isOver = false;
        const end = (): void => {
          if (!isOver) this.timers -= 1;
          isOver = true;
        };
        const cancel = timeline.after(ms, () => {
          end();
          if (!this.isDead) fire();
        });
        return () => {
          end();
          cancel();
        };
      },
    };
  }

  get isDead(): boolean {
    return this.diedAt !== undefined;
  }

  /** Up, started and taking requests. */
  get isReady(): boolean {
    return this.readyAt !== undefined && !this.isDead;
  }

  get killswitch(): Killswitch {
    if (this.#killswitch === undefined) throw new Error(`${this.name} has no killswitch yet`);
    return this.#killswitch;
  }

  set killswitch(killswitch: Killswitch) {
    this.#killswitch = killswitch;
  }

  /** Whether it was alive all the time from `from` to `to`. */
  livedThrough(from: number, to: number): boolean {
    return this.bornAt <= from && (this.diedAt === undefined || this.diedAt > to);
  }

  /** Whether a port's calls went wrong for it from `from` to `to`. */
  wasDisturbed(port: Port, from: number, to: number): boolean {
    return this.disturbed[port].some((at) => at >= from && at <= to);
  }

  /** Never resolves once the host has died. */
  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.clock.setTimer(ms, resolve));
    // It may have crashed in that very moment.
    if (this.isDead) await new Promise(() => undefined);
  }

  /** Called when it dies. */
  onEnd(end: () => void): void {
    this.#endings.push(end);
  }

  die(at: number): void {
    this.diedAt ??= at;
    for (const end of this.#endings.splice(0)) end();
  }
}
