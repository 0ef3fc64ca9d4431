import type { Agent } from './agent.ts';
import type { Book } from './book.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';

/** What the pursuit of an agent has around it. */
export interface PursuitHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  /** When this killswitch was started: an agent admitted before under this host id is from an earlier life of the host. */
  readonly startedAt: number;
  /** Ids of agents of an earlier life whose clock was ahead: the time of their admission says nothing. */
  readonly earlier: ReadonlySet<string>;
  /** Of the stop that began the pursuit: the runtimes may tell the agent why it ends. */
  readonly reason: string;
  /** Called after a rung was taken or an outcome stored; must not throw. */
  readonly took: (step: 'signalled' | 'forced' | 'unconfirmed' | 'confirmed', agent: Agent) => void;
}
