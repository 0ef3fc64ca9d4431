import { z } from 'zod';
import { maxCleanupSteps } from './agent.ts';
import { idSchema } from './identifiers.ts';
import { issueLines } from './input.ts';
import { copyOptions, readSafely } from './option-reading.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Authorizer } from './ports/authorizer.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';
import type { StateStore } from './ports/state-store.ts';

/** The longest that a timer can be set for: past it, those of Node and of browsers fire at once. */
export const longestTimerMs = 2 ** 31 - 1;
const longestMs = 24 * 60 * 60 * 1_000;

const ms = z.number().int().min(1).max(longestMs);
const fn = z.custom((value) => typeof value === 'function', 'must be a function');
const limits = z
  .strictObject({
    deadlineMs: z.number().positive().max(longestTimerMs),
    tries: z.number().int().min(1).max(100),
    backoffMs: z.number().min(0).max(longestTimerMs),
  })
  .partial()
  .optional();

/** A check of one property: lines that say what is wrong with it. */
type Check = (value: unknown, path: string) => readonly string[];
/** A check of every property of a port: one that is forgotten here does not compile. */
type Checks<T> = Readonly<Record<keyof T, Check>>;

const says =
  (what: string, isRight: (value: unknown) => boolean): Check =>
  (value, path) =>
    isRight(value) ? [] : [`${path}: ${what}`];
const required = says('must be a function', (value) => typeof value === 'function');
const optional = says(
  'must be a function, or omitted',
  (value) => value === undefined || typeof value === 'function',
);

const state: Checks<Required<StateStore>> = {
  gateOverview: optional,
  gateChanges: optional,
  admit: required,
  getAgent: required,
  getTask: required,
  swapAgents: required,
  listAgents: required,
  listOrder: required,
  placeOrder: required,
  getOrder: required,
  swapOrder: required,
  listOpenOrders: required,
  listGates: required,
  approve: required,
  release: required,
  renewLease: required,
  listLeases: required,
  watch: required,
  rejoin: optional,
};
const audit: Checks<AuditSink> = {
  open: optional,
  append: required,
  read: required,
  readUndelivered: optional,
  verify: optional,
  heads: required,
};
const authorizer: Checks<Authorizer> = { decide: required };
const clock: Checks<Clock> = { now: required, setTimer: required };
const runtime: Checks<Runtime> = {
  reach: says('must be host, machine or network', (value) =>
    ['host', 'machine', 'network'].includes(value as string),
  ),
  canForce: says('must be true or false', (value) => typeof value === 'boolean'),
  stop: optional,
  kill: required,
  force: required,
  inspect: required,
  locate: optional,
};
const step: Checks<CleanupStep> = {
  name: (value, path) => linesAt(path, idSchema.safeParse(value)),
  limits: (value, path) => {
    const faults: string[] = [];
    const copy = copyOptions(path, value, ['deadlineMs', 'tries', 'backoffMs'], faults);
    return [...faults, ...linesAt(path, limits.safeParse(copy))];
  },
  appliesTo: required,
  run: required,
};

function linesAt(path: string, parsed: z.ZodSafeParseResult<unknown>): string[] {
  if (parsed.success) return [];
  return issueLines(parsed.error).map((line) =>
    /^(deadlineMs|tries|backoffMs): /.test(line) ? `${path}.${line}` : `${path}: ${line}`,
  );
}

/** What is wrong with a port, as lines. The core keeps the object itself: it may be of a class, or a proxy. */
function faultsOf<T>(path: string, port: unknown, checks: Checks<T>): string[] {
  if (typeof port !== 'object' || port === null)
    return [`${path}: must be an object with ${Object.keys(checks).join(', ')}`];
  return Object.entries<Check>(checks).flatMap(([name, check]) => {
    const at = `${path}.${name}`;
    const faults: string[] = [];
    const read = readSafely(at, faults, () => ({ value: (port as Record<string, unknown>)[name] }));
    return read === undefined ? faults : check(read.value, at);
  });
}

/** Everything but the ports, which are looked at by {@link faultsOfPorts}. */
export const optionsSchema = z.strictObject({
  hostId: idSchema,
  state: z.unknown(),
  audit: z.unknown(),
  runtimes: z.map(idSchema, z.unknown()),
  cleanup: z.array(z.unknown()).max(maxCleanupSteps).optional(),
  authorizer: z.unknown().optional(),
  deadlines: z
    .strictObject({ forceAfter: ms, confirmWithin: ms, cleanup: ms, state: ms, lease: ms })
    .partial()
    .optional(),
  release: z
    .strictObject({ approvals: z.number().int().min(1).max(10) })
    .partial()
    .optional(),
  onLeaseLost: z.enum(['kill', 'keep']).optional(),
  clock: z.unknown().optional(),
  randomBytes: fn.optional(),
  lastResort: fn.optional(),
});

/** Options that were copied by `copyOptions`: what is not there has a default, but for `state` and `audit`. */
export type CopiedOptions = Readonly<Record<string, unknown>>;

/** What is wrong with the ports among the options, as lines. */
export function faultsOfPorts(options: CopiedOptions): string[] {
  const runtimes = options.runtimes instanceof Map ? [...options.runtimes] : [];
  const steps = Array.isArray(options.cleanup) ? options.cleanup : [];
  return [
    ...faultsOf('state', options.state, state),
    ...faultsOf('audit', options.audit, audit),
    ...runtimes.flatMap(([name, each]) => faultsOf(`runtimes.${name}`, each, runtime)),
    ...steps.flatMap((each, at) => faultsOf(`cleanup.${at}`, each, step)),
    ...('authorizer' in options ? faultsOf('authorizer', options.authorizer, authorizer) : []),
    ...('clock' in options ? faultsOf('clock', options.clock, clock) : []),
  ];
}
