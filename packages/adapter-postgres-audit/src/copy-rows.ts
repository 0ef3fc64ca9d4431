import type { Connection, PoolClient, Submittable } from 'pg';

/**
 * Runs a `COPY … TO STDOUT` and hands over each of its rows as it comes: what a row's bytes say has to be read before
 * `onRow` returns. Nothing is kept, and the database waits for whoever reads slowly.
 */
export function copyRows(client: PoolClient, statement: string, onRow: (row: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const copy = new Copy(statement, onRow, (error) => (error === undefined ? resolve() : reject(error)));
    client.query(copy);
  });
}

/** How long rows are looked at, in milliseconds, before the process gets to whatever else it has to do (I5). */
const sliceMs = 4;
const rowsBetweenLooks = 32;

/** What `pg` asks of a statement that reads the protocol's messages itself, as those of pg-query-stream do. */
class Copy implements Submittable {
  readonly #statement: string;
  readonly #onRow: (row: Buffer) => void;
  readonly #done: (error?: unknown) => void;
  #error: unknown;
  #rows = 0;
  #since = performance.now();
  #isPaused = false;
  /** Set by `pg` where it has a `query_timeout`. */
  callback: ((error?: unknown) => void) | undefined;

  constructor(statement: string, onRow: (row: Buffer) => void, done: (error?: unknown) => void) {
    this.#statement = statement;
    this.#onRow = onRow;
    this.#done = done;
  }

  submit(connection: Connection): void {
    connection.query(this.#statement);
  }

  /** Always one row (PostgreSQL's documentation, "COPY Operations"). */
  handleCopyData({ chunk }: { readonly chunk: Buffer }, connection: Connection): void {
    this.#rows += 1;
    if (this.#rows % rowsBetweenLooks === 0) this.#breathe(connection);
    if (this.#error !== undefined) return;
    try {
      this.#onRow(chunk);
    } catch (error) {
      this.#error = error;
    }
  }

  /** While there is more to read from a connection, Node reads on for long before it looks after anything else. */
  #breathe({ stream }: Connection): void {
    if (this.#isPaused || performance.now() - this.#since < sliceMs) return;
    this.#isPaused = true;
    stream.pause();
    setImmediate(() => {
      this.#isPaused = false;
      this.#since = performance.now();
      stream.resume();
    });
  }

  handleCommandComplete(): void {}

  handleError(error: unknown): void {
    this.callback?.(error);
    this.#done(error);
  }

  handleReadyForQuery(): void {
    this.callback?.(this.#error);
    this.#done(this.#error);
  }
}
