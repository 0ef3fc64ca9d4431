import type { Agent } from './agent.ts';
import type { Book } from './book.ts';
import type { Cleanup } from './cleanup.ts';
import type { GuardedEvents } from './events.ts';
import type { Leases } from './leases.ts';
import type { StopOrder } from './order.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Pursuit } from './pursuit.ts';
import type { Recorder } from './recorder.ts';
import type { StopRun } from './stop-run.ts';
import type { VolleyHost } from './volley.ts';

/** What the run of a stop order has around it. */
export interface StopRunHost extends Omit<VolleyHost, 'reason' | 'forceAt'> {
  readonly book: Book;
  readonly recorder: Recorder;
  readonly sink: AuditSink;
  readonly events: GuardedEvents;
  readonly cleanup: Cleanup;
  readonly leases: Leases;
  /** Starts or joins the kill of a claimed agent on this host. */
  readonly pursue: (agent: Agent, run: StopRun) => Pursuit;
  /** What lives under an order although its record is closed, one sentence each. */
  readonly late: (order: StopOrder) => readonly string[];
  /** The run of an order on this host. */
  readonly runOf: (order: StopOrder) => StopRun | undefined;
  /** Starts the run of an order that was taken in here and that the store has not been told of. */
  readonly goOn: (order: StopOrder) => void;
}

/** How a run begins: with its order placed in the store, not yet placed (the store is down), or found open there. */
export type Beginning = 'placed' | 'unplaced' | 'found';
