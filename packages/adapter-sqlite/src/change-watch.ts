import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Tells when another connection has committed, by looking at `PRAGMA data_version` every `pollMs` milliseconds: one read
 * of shared memory. Its timer runs only while somebody watches, and keeps no process alive.
 */
export class ChangeWatch {
  private readonly watchers = new Set<{ readonly changed: () => void }>();
  private readonly dataVersion: StatementSync;
  private readonly pollMs: number;
  private timer: ReturnType<typeof setInterval> | undefined;
  private seen: unknown;
  private closed = false;

  constructor(database: DatabaseSync, pollMs: number) {
    this.dataVersion = database.prepare('PRAGMA data_version');
    this.pollMs = pollMs;
  }

  add(changed: () => void): () => void {
    if (this.closed) return () => {};
    const watcher = { changed };
    this.watchers.add(watcher);
    this.start();
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size === 0) this.stop();
    };
  }

  close(): void {
    this.closed = true;
    this.watchers.clear();
    this.stop();
  }

  private start(): void {
    if (this.timer !== undefined) return;
    this.seen = this.look();
    this.timer = setInterval(() => this.poll(), this.pollMs);
    this.timer.unref();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private poll(): void {
    const now = this.look();
    if (now === this.seen) return;
    this.seen = now;
    for (const { changed } of [...this.watchers]) {
      try {
        changed();
      } catch {
        // A hint that is lost costs time only; one that throws must not keep the others from theirs (I5).
      }
    }
  }

  /** A file that cannot be read now gives no hint: whoever uses it is told by that call. */
  private look(): unknown {
    try {
      return this.dataVersion.get()?.data_version;
    } catch {
      return this.seen;
    }
  }
}
