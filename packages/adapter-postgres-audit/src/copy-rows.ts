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

/** What `pg` asks of a statement that reads the protocol's messages itself, as those of pg-query-stream do. */
class Copy implements Submittable {
  readonly #statement: string;
  readonly #onRow: (row: Buffer) => void;
  readonly #done: (error?: unknown) => void;
  #error: unknown;
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
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#error !== undefined) return;
    try {
      this.#onRow(chunk);
    } catch (error) {
      this.#error = error;
    }
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
