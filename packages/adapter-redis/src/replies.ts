import type { Stored } from './records.ts';

export function flag(value: boolean): string {
  return value ? '1' : '0';
}

/** The records in the order in which they were stored. */
export function inOrder<T>(stored: readonly Stored<T>[]): T[] {
  return stored.toSorted((a, b) => a.seq - b.seq).map(({ record }) => record);
}

/** Fields and values that came in turns; a value that is missing is empty, which no record is. */
export function pairsOf(answer: unknown): [string, string][] {
  const flat = answer as (string | null)[];
  return Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? '', flat[2 * n + 1] ?? '']);
}
