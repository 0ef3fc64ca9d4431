import { type Columns, columnNames } from '../columns.ts';
import { textColumns } from '../stored-row.ts';

export interface RowParts {
  readonly columns: Columns;
  /** The event's. */
  readonly text: string;
  /** Of the event, in milliseconds since the Unix epoch. */
  readonly time: number;
  readonly sessionIds: readonly string[] | null;
}

const hash = 'a'.repeat(64);

/** A row as Postgres sends it for `COPY … (FORMAT binary)`. */
export function copiedRow({ columns, text, time, sessionIds }: RowParts): Buffer {
  const fields = [
    int8(0),
    int8(1),
    int8(2),
    int8(Math.round((time - Date.UTC(2000, 0, 1)) * 1_000)),
    Buffer.from(hash),
    Buffer.from(hash),
    sessionIds && arrayOf(sessionIds),
    ...textColumns.map((name) => textOf(columns[name])),
    Buffer.from(text),
  ];
  if (fields.length !== columnNames.length + 6) throw new Error('the row has other columns now');
  const count = Buffer.alloc(2);
  count.writeInt16BE(fields.length);
  return Buffer.concat([
    count,
    ...fields.flatMap((field) => [int4(field?.length ?? -1), field ?? Buffer.alloc(0)]),
  ]);
}

function textOf(value: string | null): Buffer | null {
  return value === null ? null : Buffer.from(value);
}

function arrayOf(ids: readonly string[]): Buffer {
  if (ids.length === 0) return Buffer.concat([int4(0), int4(0), int4(25)]);
  const elements = ids.flatMap((id) => [int4(Buffer.byteLength(id)), Buffer.from(id)]);
  return Buffer.concat([int4(1), int4(0), int4(25), int4(ids.length), int4(1), ...elements]);
}

function int4(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int8(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
