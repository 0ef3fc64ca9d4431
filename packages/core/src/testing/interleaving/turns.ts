/** One port call that waits until it is its turn. */
export interface Turn {
  /** Which host calls what for the how manieth time, `host-1 state.admit 2`: the same in every run up to here. */
  readonly key: string;
  readonly host: string;
  /** Port and method, `state.admit`; with ` answer` after it for the answer on its way back. */
  readonly call: string;
  readonly go: () => void;
}

/** Holds port calls until somebody says whose turn it is. While it is not holding, calls pass at once. */
export class Turns {
  /** Calls that wait, in the order of their asking. */
  readonly waiting: Turn[] = [];
  /** What was let through while holding, in order. */
  readonly taken: string[] = [];
  readonly #counts = new Map<string, number>();
  #holding = false;

  hold(): void {
    this.#holding = true;
  }

  /** From now on everything passes, in the order of its asking. */
  letGo(): void {
    this.#holding = false;
    for (const turn of this.waiting.splice(0)) this.#let(turn);
  }

  take(turn: Turn): void {
    this.waiting.splice(this.waiting.indexOf(turn), 1);
    this.#let(turn);
  }

  /** Resolves when it is this call's turn. */
  async wait(host: string, call: string): Promise<void> {
    const name = `${host} ${call}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const key = `${name} ${count}`;
    if (this.#holding) await new Promise<void>((go) => this.waiting.push({ key, host, call, go }));
    else this.taken.push(key);
  }

  #let(turn: Turn): void {
    this.taken.push(turn.key);
    turn.go();
  }
}
