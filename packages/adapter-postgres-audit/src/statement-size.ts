import type { Row } from './valid-events.ts';

/** What one statement carries. */
export interface StatementSize {
  readonly rows: number;
  readonly characters: number;
}

/** Most that one carries. */
const most: StatementSize = { rows: 2_000, characters: 8 * 1024 * 1024 };

export function sizeOf(rows: readonly Row[]): StatementSize {
  return { rows: rows.length, characters: rows.reduce((sum, { text }) => sum + text.length, 0) };
}

/** The size of both together; `undefined` if that is too much for one statement. */
export function joined(a: StatementSize, b: StatementSize): StatementSize | undefined {
  const size = { rows: a.rows + b.rows, characters: a.characters + b.characters };
  return size.rows > most.rows || size.characters > most.characters ? undefined : size;
}
