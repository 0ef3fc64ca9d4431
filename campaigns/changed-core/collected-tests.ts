import { format } from 'node:util';
import { expect } from 'vitest';

export interface CollectedTest {
  readonly name: string;
  readonly run: () => unknown;
  readonly timeoutMs?: number;
  /** May run beside the others of its file that may. */
  readonly isConcurrent: boolean;
}

type Body = (...args: unknown[]) => unknown;

/** What test files import from vitest, as far as those of core and conformance use it; the tests are collected. */
export class CollectedTests {
  readonly tests: CollectedTest[] = [];
  readonly #path: string[] = [];

  /** In place of the module `vitest`. `expect` is the real one. */
  get vitest(): Record<string, unknown> {
    const it = (name: string, run: Body, timeoutMs?: number): void => this.#add(name, run, timeoutMs, false);
    const concurrent = (name: string, run: Body, timeoutMs?: number): void =>
      this.#add(name, run, timeoutMs, true);
    const describe = (name: string, body: Body): void => this.#within(name, body);
    const tests = Object.assign(it, {
      concurrent: Object.assign(concurrent, { each: eachOf(concurrent) }),
      each: eachOf(it),
    });
    const groups = Object.assign(describe, { each: eachOf(describe) });
    return { __esModule: true, expect, it: tests, test: tests, describe: groups };
  }

  #add(name: string, run: Body, timeoutMs: number | undefined, isConcurrent: boolean): void {
    const full = [...this.#path, name].join(' > ');
    this.tests.push({
      name: full,
      run: () => run(),
      isConcurrent,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }

  #within(name: string, body: Body): void {
    this.#path.push(name);
    body();
    this.#path.pop();
  }
}

function eachOf(one: (name: string, body: Body, timeoutMs?: number) => void) {
  return (rows: readonly unknown[]) =>
    (name: string, body: Body, timeoutMs?: number): void => {
      for (const row of rows) {
        const values = Array.isArray(row) ? row : [row];
        one(format(name, ...values), () => body(...values), timeoutMs);
      }
    };
}
