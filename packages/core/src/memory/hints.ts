/** Tells watchers that something has changed. */
export class Hints {
  private readonly watchers = new Set<{ readonly changed: () => void }>();
  private isHinting = false;

  /** The returned function ends it. */
  watch(changed: () => void): () => void {
    const watcher = { changed };
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  /** After the change, and once for many: whoever is told may call the store at once. */
  hint(): void {
    if (this.isHinting || this.watchers.size === 0) return;
    this.isHinting = true;
    queueMicrotask(() => {
      this.isHinting = false;
      for (const { changed } of [...this.watchers]) {
        try {
          changed();
        } catch {
          // A hint that is lost costs time only; one that throws must not keep the others from theirs (I5).
        }
      }
    });
  }
}
