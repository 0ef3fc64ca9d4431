import type { SeededRandom } from '../seeded-random.ts';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';

/**
 * How a running agent takes a stop: `graceful` ends when asked, `cooperative` when killed, `slow` some time after a
 * kill, `stubborn` only when forced; to the others no call helps before the world heals: `immortal` ignores it, with
 * `hung` it never comes back, with `failing` it throws.
 */
export type Behaviour = 'graceful' | 'cooperative' | 'slow' | 'stubborn' | 'immortal' | 'hung' | 'failing';

/** By which runtime it is reached: `thread` lives in its host's process, `process` on its machine, `container` anywhere. */
export type Kind = 'thread' | 'process' | 'container';

/** A call on a body that went wrong by itself: nothing in the body's nature made it. */
export interface Trouble {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whose call it was. */
  readonly life: Life;
  /** The route and what was asked of it. */
  readonly call: string;
  /** It will never come back. */
  isHung: boolean;
}

/** What really runs of an agent: the truth that the killswitch's words are held against. */
export interface Body {
  readonly agentId: string;
  readonly hostId: string;
  readonly machine: number;
  readonly kind: Kind;
  /** Reached by an orchestrator too, and that first. */
  readonly isOrchestrated: boolean;
  /** How it was made. */
  readonly nature: Behaviour;
  /** How it is now. */
  behaviour: Behaviour;
  readonly startedAt: number;
  /** Place in the history. */
  readonly startedSeq: number;
  diedAt?: number;
  /** Place in the history. */
  diedSeq?: number;
  /** When its service had been told by `running` that the routes to it are known. */
  knownAt?: number;
  /** Place in the history. */
  knownSeq?: number;
  /** Its service had said before that it never started: it is destroyed, and named until then, by that life of the host. */
  readonly isLate: boolean;
  /** The life of the host that it was started by. */
  readonly lifeName: string;
  /** Calls on it that went wrong by themselves. */
  readonly troubles: Trouble[];
}

const kinds: readonly Kind[] = ['thread', 'process', 'process', 'container', 'container'];

export function drawKind(random: SeededRandom): Kind {
  return random.pick(kinds);
}

export function drawBehaviour(random: SeededRandom, faults: Faults): Behaviour {
  for (const behaviour of ['immortal', 'hung', 'failing', 'slow', 'stubborn'] as const)
    if (faults.strikes(`agent: ${behaviour}`, 3)) return behaviour;
  return random.pick(['cooperative', 'cooperative', 'graceful']);
}

export function isAlive(body: Body | undefined): boolean {
  return body !== undefined && body.diedAt === undefined;
}

/** Whether kill or force ends it at once, whatever else happens. */
export function isMortal({ nature }: Body): boolean {
  return nature === 'graceful' || nature === 'cooperative' || nature === 'stubborn';
}
