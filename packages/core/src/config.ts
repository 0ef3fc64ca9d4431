import { type CopiedOptions, faultsOfPorts, optionsSchema } from './config-schema.ts';
import { InvalidConfigurationError } from './errors.ts';
import { timeSchema } from './identifiers.ts';
import { cryptoRandomBytes, type RandomBytes } from './ids.ts';
import { issueLines } from './input.ts';
import { keptRuntime, keptStep } from './kept-ports.ts';
import { copyList, copyOptions, copyTable, readSafely } from './option-reading.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Authorizer } from './ports/authorizer.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';
import type { StateStore } from './ports/state-store.ts';
import { rolePolicy } from './role-policy.ts';
import { systemClock } from './system-clock.ts';
import type { LastResort } from './waiting-facts.ts';

/** What `createKillswitch` takes. */
export interface KillswitchOptions {
  /** Names this host in the store and on the record; the same after a restart, different from every other host's. */
  readonly hostId: string;
  readonly state: StateStore;
  readonly audit: AuditSink;
  /** By the name that handles carry in `runtime`. */
  readonly runtimes: Readonly<Record<string, Runtime>>;
  /** Run in this order after an agent's death. Default: none. */
  readonly cleanup?: readonly CleanupStep[];
  /** Default: {@link rolePolicy}. */
  readonly authorizer?: Authorizer;
  readonly deadlines?: Partial<Deadlines>;
  /** `approvals`: how many different people have to ask for a release before gates open, 1 to 10. Default 1. */
  readonly release?: { readonly approvals: number };
  /**
   * What becomes of this host's agents when the state store has not answered for `deadlines.lease`, so that no stop by
   * another host reaches them. Default `kill`: they die, on record as stopped by `system:lease`, and an outage of the store
   * that lasts longer than a lease costs every agent of every host. `keep`: they go on, out of reach of everybody but this
   * host, until the store is back.
   */
  readonly onLeaseLost?: 'kill' | 'keep';
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: Web Crypto. */
  readonly randomBytes?: RandomBytes;
  /** Where an audit event goes, as one line, that cannot be made durable. Default: `console.error`. */
  readonly lastResort?: LastResort;
}

/** All in milliseconds. */
export interface Deadlines {
  /** From the request until every route is forced. Default 2,000. */
  readonly forceAfter: number;
  /** From the request until whoever is not observed dead is named `unconfirmed`. Default 5,000. */
  readonly confirmWithin: number;
  /** For one try of one cleanup step. Default 10,000. */
  readonly cleanup: number;
  /**
   * For one call on the state store, and so how long a kill waits for one that hangs: less than `forceAfter`. Default 500, or half
   * of `forceAfter` if that is less.
   */
  readonly state: number;
  /** How long this host counts as alive after its last word in the state store: see `onLeaseLost`. Default 15,000. */
  readonly lease: number;
}

export interface Settings extends Required<Omit<KillswitchOptions, 'deadlines' | 'runtimes' | 'release'>> {
  readonly approvals: number;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly deadlines: Deadlines;
}

/** The last one that a `Date` can hold, in milliseconds since the Unix epoch. */
const latestTime = 8.64e15;
const knownOptions = Object.keys(optionsSchema.shape);
const knownDeadlines = ['forceAfter', 'confirmWithin', 'cleanup', 'state', 'lease'];

/** What was given is read once, here; `undefined` stands for the default. @throws InvalidConfigurationError listing every fault. */
export function settingsOf(given: KillswitchOptions): Settings {
  const faults: string[] = [];
  const options = copyAll(given, faults);
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) faults.push(...issueLines(parsed.error));
  faults.push(...faultsOfPorts(options));
  const copied = options as unknown as Omit<KillswitchOptions, 'runtimes'> & Pick<Settings, 'runtimes'>;
  const deadlines = deadlinesOf(copied.deadlines);
  faults.push(...faultsOfOrder(deadlines));
  faults.push(...repeatedNames(copied.cleanup));
  if (!faults.some((fault) => fault.startsWith('clock')))
    faults.push(...faultsOfTime(copied.clock ?? systemClock));
  if (faults.length > 0) throw new InvalidConfigurationError([...new Set(faults)]);
  const { release, ...rest } = copied;
  const runtimes = [...copied.runtimes].map(
    ([name, each]) => [name, keptRuntime(`runtimes.${name}`, each, faults)] as const,
  );
  const cleanup = (copied.cleanup ?? []).map((each, at) => keptStep(`cleanup.${at}`, each, faults));
  if (faults.length > 0) throw new InvalidConfigurationError(faults);
  return {
    authorizer: rolePolicy(),
    clock: systemClock,
    randomBytes: cryptoRandomBytes,
    onLeaseLost: 'kill',
    lastResort: (line) => console.error(line),
    ...rest,
    runtimes: new Map(runtimes),
    cleanup,
    approvals: release?.approvals ?? 1,
    deadlines,
  };
}

function deadlinesOf(given: Partial<Deadlines> | undefined): Deadlines {
  const forceAfter = given?.forceAfter ?? 2_000;
  // What is no number is a fault already.
  const state = typeof forceAfter === 'number' ? Math.min(500, Math.ceil(forceAfter / 2)) : 500;
  return {
    confirmWithin: 5_000,
    cleanup: 10_000,
    lease: 15_000,
    ...given,
    forceAfter,
    state: given?.state ?? state,
  };
}

/** Whom a kill waits for before it forces, and what it does before it names anybody, has to be over by then (I1, I6). */
function faultsOfOrder(deadlines: Deadlines): string[] {
  const steps = ['state', 'forceAfter', 'confirmWithin'] as const;
  return steps.flatMap((name, at) => {
    const next = steps[at + 1];
    if (next === undefined) return [];
    const [ms, nextMs] = [deadlines[name], deadlines[next]];
    const isWrong = typeof ms === 'number' && typeof nextMs === 'number' && ms >= nextMs;
    return isWrong ? [`deadlines: ${name} (${ms}) must be less than ${next} (${nextMs})`] : [];
  });
}

function copyAll(given: unknown, faults: string[]): CopiedOptions {
  const options = copyOptions('', given, knownOptions, faults);
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new InvalidConfigurationError(['options: must be an object']);
  const { runtimes, cleanup, deadlines, release } = options as Record<string, unknown>;
  return {
    ...options,
    runtimes: copyTable('runtimes', runtimes, faults),
    ...(cleanup !== undefined && { cleanup: copyList('cleanup', cleanup, faults) }),
    ...(deadlines !== undefined && {
      deadlines: copyOptions('deadlines', deadlines, knownDeadlines, faults),
    }),
    ...(release !== undefined && { release: copyOptions('release', release, ['approvals'], faults) }),
  };
}

/** A step whose name cannot be read is a fault already. */
function repeatedNames(steps: unknown): string[] {
  if (!Array.isArray(steps)) return [];
  const names = steps.map((step) => readSafely('', [], () => (step as CleanupStep | null)?.name));
  const repeated = names.filter((name, at) => typeof name === 'string' && names.indexOf(name) !== at);
  return [...new Set(repeated)].map((name) => `cleanup: two steps are named "${name}"`);
}

/** Deadlines are counted from it: from one that is no time, none would ever pass (I1). */
function faultsOfTime(clock: Clock): string[] {
  const faults: string[] = [];
  const read = readSafely('clock.now', faults, () => ({ now: clock.now() }));
  const isTime = read === undefined || timeSchema.max(latestTime).safeParse(read.now).success;
  return isTime ? faults : ['clock.now: must return whole milliseconds since the Unix epoch'];
}
