import { DeadlineError } from '@agent-killswitch/core';
import { appending, faultOf } from './errors.ts';
import { joined, type StatementSize, sizeOf } from './statement-size.ts';
import type { Row } from './valid-events.ts';

/** Groups that are under way at once. */
const atOnce = 4;

/** Puts rows on record, all or none, within so many milliseconds, `waitMs` of them for chains that others are writing to. */
type Put = (rows: readonly Row[], ms: number, waitMs: number) => Promise<void>;

interface Append {
  readonly rows: readonly Row[];
  readonly size: StatementSize;
  readonly chains: ReadonlySet<string>;
  /** By `performance.now()`. */
  readonly until: number;
  readonly settle: (error?: unknown) => void;
  isSettled: boolean;
  /** Its group failed: it goes by itself. */
  isApart: boolean;
}

/**
 * Group commit: appends that are made while others are under way go together, in one statement. What each is promised
 * stays as it is: it is all or nothing, has a deadline of its own, and never fails for another one's sake.
 *
 * - waiting: in the order in which they were made.
 * - under way: in one of a few groups, no two of which have a chain in common. So each chain has its events in the order of
 *   the appends, and a chain that somebody keeps locked holds up the others of its group for a moment only.
 * - apart: waiting again, before all others, since its group failed.
 */
export class AppendGroups {
  readonly #put: Put;
  readonly #deadlineMs: number;
  readonly #busyChains = new Set<string>();
  #waiting: Append[] = [];
  #underWay = 0;
  #isDue = false;

  constructor(deadlineMs: number, put: Put) {
    this.#deadlineMs = deadlineMs;
    this.#put = put;
  }

  /** Settles with its group, or by itself; rejects at the deadline. What was begun and ends later counts. */
  add(rows: readonly Row[]): Promise<void> {
    const ms = this.#deadlineMs;
    return new Promise((resolve, reject) => {
      const append: Append = {
        rows,
        size: sizeOf(rows),
        chains: new Set(rows.map(({ chain }) => chain)),
        until: performance.now() + ms,
        settle(error) {
          clearTimeout(timer);
          this.isSettled = true;
          if (error === undefined) resolve();
          else reject(error);
        },
        isSettled: false,
        isApart: false,
      };
      const timer = setTimeout(() => {
        append.settle(faultOf(appending, new DeadlineError(`no answer within ${ms} ms`)));
      }, ms);
      this.#waiting.push(append);
      // It would only be looked past.
      if (![...append.chains].some((chain) => this.#busyChains.has(chain))) this.#beginSoon();
    });
  }

  /** Whoever was waiting for the same end gets to make the next append before. */
  #beginSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      for (let isMore = true; isMore && this.#underWay < atOnce; ) isMore = this.#beginNext();
    });
  }

  #beginNext(): boolean {
    const group = this.#nextGroup();
    if (group.length === 0) return false;
    const isTaken = new Set(group);
    this.#waiting = this.#waiting.filter((append) => !isTaken.has(append));
    void this.#run(group);
    return true;
  }

  /** The first ones that fit in one statement, without those that are behind another one of a chain of theirs. */
  #nextGroup(): Append[] {
    const barred = new Set(this.#busyChains);
    const group: Append[] = [];
    let size: StatementSize | undefined;
    this.#waiting = this.#waiting.filter(({ isSettled }) => !isSettled);
    for (const append of this.#waiting) {
      const isBarred = [...append.chains].some((chain) => barred.has(chain));
      const both: StatementSize | undefined = size === undefined ? append.size : joined(size, append.size);
      const isAlone = append.isApart || group[0]?.isApart === true;
      if (isBarred || both === undefined || (isAlone && group.length > 0)) {
        for (const chain of append.chains) barred.add(chain);
      } else {
        group.push(append);
        size = both;
      }
    }
    return group;
  }

  async #run(group: readonly Append[]): Promise<void> {
    const chains = new Set(group.flatMap((append) => [...append.chains]));
    for (const chain of chains) this.#busyChains.add(chain);
    this.#underWay += 1;
    const isShared = group.length > 1;
    const ms = Math.ceil(Math.max(1, ...group.map(({ until }) => until - performance.now())));
    try {
      await this.#put(
        group.flatMap(({ rows }) => rows),
        ms,
        // One chain that somebody keeps locked must leave the others of the group time to go by themselves.
        isShared && chains.size > 1 ? Math.ceil(ms / 4) : ms,
      );
      for (const append of group) append.settle();
    } catch (error) {
      const open = group.filter(({ isSettled }) => !isSettled);
      if (isShared) for (const append of open) append.isApart = true;
      else for (const append of open) append.settle(error);
      if (isShared) this.#waiting = [...open, ...this.#waiting];
    }
    this.#underWay -= 1;
    for (const chain of chains) this.#busyChains.delete(chain);
    this.#beginSoon();
  }
}
