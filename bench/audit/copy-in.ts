import type { Connection, PoolClient } from 'pg';

/** What a connection of `pg` has besides what its types say. */
interface Sending {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Puts lines into a table with one `COPY … FROM STDIN`, in its text format. */
export function copyIn(client: PoolClient, target: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      submit: (connection: Connection) => connection.query(`COPY ${target} FROM STDIN`),
      handleCopyInResponse(connection: Sending) {
        connection.sendCopyFromChunk(Buffer.from(`${lines.join('\n')}\n`));
        connection.endCopyFrom();
      },
      handleCommandComplete() {},
      handleError: reject,
      handleReadyForQuery: resolve,
    });
  });
}
