import type { Handle, Observation, Runtime, RuntimeContext } from '@agent-killswitch/core';
import { type Clause, expectThat } from './clause.ts';

/** How the suite gets at the runtime under test and at agents for it to kill. */
export interface RuntimeFactory {
  /** A runtime, ready for use. */
  open(): Promise<Runtime>;
  /** A second one that shares nothing with the first but the outside world, as another host's. For a `reach` beyond `host`. */
  openSecond?(): Promise<Runtime>;
  /** Starts a living agent that the latest opened runtime reaches. */
  startVictim(agentId: string): Promise<Victim>;
  /** What a runtime must refuse: wrong shapes, wrong types, things it may never touch. */
  readonly malformedHandles?: readonly Handle[];
  /** Ends and removes whatever was opened or started. Called once after each clause, also after one that failed. */
  close?(): Promise<void>;
}

export interface Victim {
  readonly handle: Handle;
  /** Whether it lives, found out without the runtime under test. */
  isAlive(): Promise<boolean>;
}

export interface RuntimeClause extends Clause<RuntimeFactory> {
  /** What the factory must have for this clause; without it `run` rejects, so that leaving it out is a visible choice. */
  readonly needs?: 'openSecond' | 'malformedHandles';
}

/** How long one call (and then its answer to the abort) and one clause may take, in milliseconds. */
export const callMs = 5_000;
const graceMs = 1_000;
const clauseMs = 25_000;
/** Between two looks at something that takes its time to die. */
const pauseMs = 5;

export function clause(
  name: string,
  check: (runtime: Runtime, factory: RuntimeFactory) => Promise<void>,
  needs?: 'openSecond' | 'malformedHandles',
): RuntimeClause {
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    async run(factory) {
      if (needs !== undefined) expectThat(factory[needs] !== undefined, `the factory has "${needs}"`);
      try {
        await inTime(
          factory.open().then((runtime) => check(runtime, factory)),
          clauseMs,
          'a clause',
        );
      } finally {
        await factory.close?.();
      }
    },
  };
}

/** An agent id that no other clause uses, nor the same suite run elsewhere at the same time. */
export function freshId(): string {
  return `victim-${crypto.randomUUID()}`;
}

export function contextOf(agentId: string): RuntimeContext {
  return { agentId, signal: AbortSignal.timeout(callMs) };
}

export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

/** How a call ends. A broken clause if it throws instead of returning a promise, or does not settle in time. */
export async function settled<T>(what: string, call: () => Promise<T>): Promise<Settled<T>> {
  let pending: Promise<T>;
  try {
    pending = call();
  } catch {
    expectThat(false, `${what} answers with a promise and never throws`);
  }
  const outcome = pending.then(
    (value) => ({ ok: true, value }) as const,
    (error: unknown) => ({ ok: false, error }) as const,
  );
  return inTime(outcome, callMs + graceMs, what);
}

/** The result of a call that must succeed. */
export async function success<T>(what: string, call: () => Promise<T>): Promise<T> {
  const outcome = await settled(what, call);
  expectThat(outcome.ok, `${what} succeeds, instead of: ${outcome.ok ? '' : String(outcome.error)}`);
  return outcome.value;
}

export async function observe(runtime: Runtime, agentId: string, handle: Handle): Promise<Observation> {
  const seen = await success('inspect', () => runtime.inspect(handle, contextOf(agentId)));
  expectThat(
    ['alive', 'dead', 'unknown'].includes(seen?.state),
    `inspect answers a state, not ${seen?.state}`,
  );
  return seen;
}

/** Looks until the agent is observed dead, and checks each time that it is not called dead while it lives (I3). */
export async function expectDeath(runtime: Runtime, agentId: string, victim: Victim): Promise<Observation> {
  const until = Date.now() + callMs;
  let seen: Observation;
  do {
    seen = await observe(runtime, agentId, victim.handle);
    if (seen.state === 'dead') {
      expectThat(!(await victim.isAlive()), 'no living agent is observed dead');
      return seen;
    }
    await pause();
  } while (Date.now() < until);
  expectThat(false, `the agent is observed dead within ${callMs} ms, not ${seen.state}: ${seen.evidence}`);
}

export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}

async function inTime<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), late]);
    expectThat(first !== 'late', `${what} settles within ${ms} ms`);
    return first.value;
  } finally {
    clearTimeout(timer);
  }
}
