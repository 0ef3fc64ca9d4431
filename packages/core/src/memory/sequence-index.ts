/**
 * Rising sequence numbers that are read from any point on. Whether a number still belongs is for the owner to say, who
 * reports each that goes: removing costs next to nothing, and reading what it returns, because numbers that have gone
 * never make up more than half of what is kept.
 */
export class SequenceIndex {
  private readonly belongs: (seq: number) => boolean;
  private kept: number[] = [];
  private gone = 0;

  constructor(belongs: (seq: number) => boolean) {
    this.belongs = belongs;
  }

  get size(): number {
    return this.kept.length - this.gone;
  }

  /** `seq` belongs from now on. New numbers are mostly the greatest, so the end is tried first. */
  add(seq: number): void {
    const at = this.positionOf(seq);
    if (this.kept[at] === seq) this.gone -= 1;
    else this.kept.splice(at, 0, seq);
  }

  /** One that was added does not belong any more. */
  forget(): void {
    this.gone += 1;
    if (this.gone * 2 <= this.kept.length) return;
    this.kept = this.kept.filter(this.belongs);
    this.gone = 0;
  }

  /** At most `limit` members greater than `after`, rising. */
  after(after: number, limit: number): number[] {
    const members: number[] = [];
    for (let at = this.positionOf(after + 1); at < this.kept.length && members.length < limit; at += 1) {
      const seq = this.kept[at];
      if (seq !== undefined && this.belongs(seq)) members.push(seq);
    }
    return members;
  }

  /** Where the first number not less than `seq` is kept. */
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
}
