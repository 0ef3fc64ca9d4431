import type { StateStore } from '@agent-killswitch/core';
import { type Clause, expectThat } from './clause.ts';
import { within } from './within.ts';

/** How the suite gets at the state store under test. */
export interface StateStoreFactory {
  /** A store on new, empty storage. */
  open(): Promise<StateStore>;
  /**
   * A second client, as another host would have, on the storage of the latest `open`. Without it, races are run over
   * one client, and the clauses that need `openSecond` reject.
   */
  openSecond?(): Promise<StateStore>;
  /** Ends every client of the latest `open` and opens its storage again, as after a restart. */
  reopen?(): Promise<StateStore>;
  /**
   * Has the storage of the latest `open` lose everything while its clients live, as a server does that comes back empty. A store
   * with `rejoin` needs it.
   */
  lose?(): Promise<void>;
  /** How long a `watch` may take to call, in milliseconds. Default 5,000. */
  readonly hintWithinMs?: number;
  /** Ends and removes whatever was opened. Called once after each clause, also after one that failed. */
  dispose(): Promise<void>;
}

export interface StateStoreClause extends Clause<StateStoreFactory> {
  /** What the factory must have for this clause; without it `run` rejects, so that leaving it out is a visible choice. */
  readonly needs?: 'openSecond' | 'reopen';
}

/** What a clause works with: two clients of one empty storage (the same one twice if the factory has no second). */
export interface StateStoreBench {
  readonly store: StateStore;
  readonly second: StateStore;
  readonly hintWithinMs: number;
  reopen(): Promise<StateStore>;
  readonly lose?: () => Promise<void>;
}

/** How long a whole clause may take, in milliseconds. A store that never answers has broken it. */
const clauseDeadlineMs = 25_000;

export function clause(
  name: string,
  check: (bench: StateStoreBench) => Promise<void>,
  needs?: 'openSecond' | 'reopen',
): StateStoreClause {
  return { name, run: (factory) => runOn(factory, check, needs), ...(needs === undefined ? {} : { needs }) };
}

async function runOn(
  factory: StateStoreFactory,
  check: (bench: StateStoreBench) => Promise<void>,
  needs: StateStoreClause['needs'],
): Promise<void> {
  expectThat(needs === undefined || factory[needs] !== undefined, `the factory has "${needs}"`);
  try {
    const store = await factory.open();
    const second = (await factory.openSecond?.()) ?? store;
    const reopen = async () => (await factory.reopen?.()) ?? store;
    const { hintWithinMs = 5_000 } = factory;
    const lose = factory.lose?.bind(factory);
    const bench = { store, second, reopen, hintWithinMs, ...(lose && { lose }) };
    await within(clauseDeadlineMs, check(bench), 'the store answers');
  } finally {
    await factory.dispose();
  }
}
