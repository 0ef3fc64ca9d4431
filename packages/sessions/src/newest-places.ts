/** The `most` newest of the places that are added, the newest first. */
export class NewestPlaces {
  readonly found: string[] = [];
  readonly #most: number;
  readonly #cursor: string | undefined;

  /** @param cursor places that are not before it do not count */
  constructor(most: number, cursor: string | undefined) {
    this.#most = most;
    this.#cursor = cursor;
  }

  add(place: string): void {
    const { found } = this;
    if (this.#cursor !== undefined && place >= this.#cursor) return;
    const oldest = found.at(-1);
    if (found.length === this.#most && oldest !== undefined && place <= oldest) return;
    found.splice(indexFor(found, place), 0, place);
    if (found.length > this.#most) found.pop();
  }
}

/** Where it belongs in a list that goes from the newest to the oldest. */
function indexFor(places: readonly string[], place: string): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] ?? '') > place) low = middle + 1;
    else high = middle;
  }
  return low;
}
