import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent } from '@agent-killswitch/core';
import { makeDirectory } from './directory.ts';
import { errnoOf, JournalWriteError } from './journal-errors.ts';
import type { Settings } from './options.ts';
import { Segment, segmentNumber } from './segment.ts';
import { takeLock, type WriterLock } from './writer-lock.ts';

/** A write that fails for these reasons would fail in another file as well. */
const futile = new Set(['ETIMEDOUT', 'EAGAIN']);

/**
 * The files of one journal, the oldest first. Only the last one is written to. It is left for a new one when it is full, and
 * when it cannot be written: what failed there is written again, whole, to the new one.
 */
export class Segments {
  readonly #settings: Settings;
  readonly #lock: WriterLock;
  readonly #maxRecords: number;
  #all: [...Segment[], Segment];

  private constructor(settings: Settings, lock: WriterLock, numbers: readonly number[], maxRecords: number) {
    this.#settings = settings;
    this.#lock = lock;
    this.#maxRecords = maxRecords;
    const next = (numbers.at(-1) ?? 0) + 1;
    this.#all = [...numbers.map((number) => Segment.found(settings, number)), new Segment(settings, next)];
  }

  /** @throws JournalLockedError, JournalWriteError */
  static async open(settings: Settings, maxRecords: number): Promise<Segments> {
    const { directory, writer } = settings;
    try {
      await makeDirectory(directory);
      const lock = await takeLock(join(directory, `${writer}~.lock`));
      const numbers = (await readdir(directory))
        .map((file) => segmentNumber(writer, file))
        .filter((number) => number !== undefined)
        .sort((a, b) => a - b);
      const segments = new Segments(settings, lock, numbers, maxRecords);
      await segments.active.open();
      return segments;
    } catch (error) {
      throw errnoOf(error) === undefined
        ? error
        : new JournalWriteError(join(directory, writer), 'open', error);
    }
  }

  get active(): Segment {
    return this.#all[this.#all.length - 1] as Segment;
  }

  get oldest(): Segment {
    return this.#all[0];
  }

  all(): readonly Segment[] {
    return this.#all;
  }

  /** `onSwitch` is told when the events went to a new file because the old one failed. */
  async append(events: readonly AuditEvent[], onSwitch: (error: unknown) => void): Promise<void> {
    if (this.active.records >= this.#maxRecords) this.rotate();
    const segment = this.active;
    try {
      await segment.append(events);
    } catch (error) {
      const isGone = error instanceof JournalWriteError && error.errno === 'ENOENT';
      const isWorthIt = segment.records > 0 || isGone;
      if (!(error instanceof JournalWriteError) || futile.has(error.errno ?? '') || !isWorthIt) throw error;
      if (this.active === segment) this.rotate();
      await this.active.append(events);
      onSwitch(error);
    }
  }

  /** Begins a new file. */
  rotate(): void {
    const { active } = this;
    void active.seal();
    const next = new Segment(this.#settings, active.number + 1);
    const older = active.isBlank ? this.#all.slice(0, -1) : this.#all;
    if (active.isBlank) void active.remove().catch(() => {});
    this.#all = [...older, next];
  }

  /** Forgets one that is not the active one. */
  drop(segment: Segment): void {
    if (segment === this.active) return;
    this.#all = [...this.#all.slice(0, -1).filter((other) => other !== segment), this.active];
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((segment) => segment.seal()));
    await this.#lock.release();
  }
}
