import { type AuditQuery, type AuditRecord, type AuditSink, canonical } from '@agent-killswitch/core';
import { type Clause, expectThat } from './clause.ts';

/** How the suite gets at the audit sink under test. */
export interface AuditSinkFactory {
  /** A sink on new, empty storage. */
  open(): Promise<AuditSink>;
  /** Ends the sink of the latest `open` and opens its storage again, as after a restart. */
  reopen?(): Promise<AuditSink>;
  /** Ends and removes whatever was opened. Called once after each clause, also after one that failed. */
  close?(): Promise<void>;
}

export interface AuditSinkClause extends Clause<AuditSinkFactory> {
  /** What the factory must have for this clause; without it `run` rejects, so that leaving it out is a visible choice. */
  readonly needs?: 'reopen';
}

/** How long a whole clause may take, in milliseconds. A sink that never answers has broken it. */
const clauseDeadlineMs = 20_000;

export function clause(name: string, check: (sink: AuditSink) => Promise<void>): AuditSinkClause {
  return { name, run: (factory) => run(factory, async () => check(await ready(factory.open()))) };
}

/** A clause about storage that outlives its sink: `check` gets the second sink's opener. */
export function reopenClause(
  name: string,
  check: (sink: AuditSink, reopen: () => Promise<AuditSink>) => Promise<void>,
): AuditSinkClause {
  return {
    name,
    needs: 'reopen',
    run: (factory) =>
      run(factory, async () => {
        expectThat(factory.reopen !== undefined, 'the factory has "reopen"');
        await check(await ready(factory.open()), () => ready(factory.reopen?.() ?? factory.open()));
      }),
  };
}

/** The core awaits a sink's `open` before anything else. */
async function ready(opened: Promise<AuditSink>): Promise<AuditSink> {
  const sink = await opened;
  await sink.open?.();
  return sink;
}

async function run(factory: AuditSinkFactory, check: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), clauseDeadlineMs);
  });
  try {
    const first = await Promise.race([check(), late]);
    expectThat(first !== 'late', `the sink answers within ${clauseDeadlineMs} ms`);
  } finally {
    clearTimeout(timer);
    await factory.close?.();
  }
}

export async function recordsOf(sink: AuditSink, query?: AuditQuery): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const record of sink.read(query)) records.push(record);
  return records;
}

/** That the sink's events, or those of a query, are exactly these in this order. */
export async function expectEvents(
  sink: AuditSink,
  expected: readonly unknown[],
  query?: AuditQuery,
): Promise<void> {
  const events = (await recordsOf(sink, query)).map((record) => record.event);
  expectSame(events, expected, query === undefined ? 'the record' : `the record for ${canonical(query)}`);
}

export function expectSame(actual: unknown, expected: unknown, what: string): void {
  expectThat(text(actual) === text(expected), `${what} is ${brief(expected)}, not ${brief(actual)}`);
}

function text(value: unknown): string {
  return value === undefined ? 'undefined' : canonical(value);
}

function brief(value: unknown): string {
  const all = text(value);
  return all.length > 400 ? `${all.slice(0, 400)}…` : all;
}
