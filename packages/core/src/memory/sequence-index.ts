/**
 * A set of rising sequence numbers that is read from any point on. Appending and removing cost O(log n) at most;
 * reading costs what it returns, because removed numbers never make up more than half of what is kept.
 */
export class SequenceIndex {
  private readonly kept: number[] = [];
  private readonly removed = new Set<number>();

  get size(): number {
    return this.kept.length - this.removed.size;
  }

  add(seq: number): void {
    if (this.removed.delete(seq)) return;
    const at = this.positionOf(seq);
    if (this.kept[at] !== seq) this.kept.splice(at, 0, seq);
  }

  delete(seq: number): void {
    if (this.kept[this.positionOf(seq)] !== seq) return;
    this.removed.add(seq);
    if (this.removed.size * 2 > this.kept.length) this.compact();
  }

  /** At most `limit` members greater than `after`, rising. */
  after(after: number, limit: number): number[] {
    const members: number[] = [];
    for (let at = this.positionOf(after + 1); at < this.kept.length && members.length < limit; at += 1) {
      const seq = this.kept[at];
      if (seq !== undefined && !this.removed.has(seq)) members.push(seq);
    }
    return members;
  }

  /** Where the first number not less than `seq` is kept. New numbers are the greatest, so the end is tried first. */
  private positionOf(seq: number): number {
    const last = this.kept.at(-1);
    if (last === undefined || last < seq) return this.kept.length;
    let low = 0;
    let high = this.kept.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.kept[middle] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private compact(): void {
    let to = 0;
    for (const seq of this.kept) {
      if (!this.removed.has(seq)) this.kept[to++] = seq;
    }
    this.kept.length = to;
    this.removed.clear();
  }
}
