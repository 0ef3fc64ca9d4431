import type { Deadlines, StateStore } from '@agent-killswitch/core';
import type { MemoryAudit } from '@agent-killswitch/core/memory';
import type { SeededRandom } from '../seeded-random.ts';
import type { Faults } from './faults.ts';
import type { History } from './history.ts';
import type { Life, Port } from './life.ts';
import type { SimulatedCore } from './simulated-core.ts';
import type { Timeline } from './timeline.ts';

/** A dependency that does not work for some hosts and some time. */
export interface Outage {
  readonly port: Port;
  readonly hostIds: readonly string[];
  readonly from: number;
  readonly until: number;
  /** `answers lost`: what is asked for happens, and the caller never hears of it. */
  readonly mode: 'refuses' | 'hangs' | 'answers lost';
}

/** What all parts of a round share. */
export interface World {
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly core: SimulatedCore;
  readonly history: History;
  readonly deadlines: Deadlines;
  readonly approvals: number;
  readonly hostIds: readonly string[];
  /** Shared by all hosts. */
  readonly state: StateStore;
  /** By host; the same one for all in some rounds. */
  readonly sinks: ReadonlyMap<string, MemoryAudit>;
  outages: Outage[];
  /** The life that a host is living, if it is up. */
  readonly up: Map<string, Life>;
  /** Ends a life right now and brings the host back later. */
  readonly crash: (life: Life, why: string) => void;
  readonly trace: (who: string, what: string) => void;
}

export function outageOf({ outages, timeline }: World, port: Port, hostId: string): Outage | undefined {
  return outages.find(
    (outage) =>
      outage.port === port &&
      outage.hostIds.includes(hostId) &&
      timeline.now >= outage.from &&
      timeline.now < outage.until,
  );
}
