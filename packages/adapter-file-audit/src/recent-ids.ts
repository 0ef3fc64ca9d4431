/** The newest ids, so that a batch that comes again is known. Older ones are forgotten (I12). */
export class RecentIds {
  readonly #known = new Set<string>();
  /** A ring: `#next` is where the oldest id stands once the ring is full. */
  readonly #ring: string[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** Takes an id that is not known yet. */
  add(id: string): void {
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#ring[this.#next] = id;
    this.#known.add(id);
    this.#next = (this.#next + 1) % this.#capacity;
  }
}
