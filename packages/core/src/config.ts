import { z } from 'zod';
import { InvalidConfigurationError } from './errors.ts';
import { idSchema } from './identifiers.ts';
import { cryptoRandomBytes, type RandomBytes } from './ids.ts';
import { issueLines } from './input.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Authorizer } from './ports/authorizer.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';
import type { StateStore } from './ports/state-store.ts';
import type { LastResort } from './recorder.ts';
import { rolePolicy } from './role-policy.ts';
import { systemClock } from './system-clock.ts';

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
  /** For one call on the state store. Default 500. */
  readonly state: number;
  /** How long this host counts as alive after its last word in the state store. Default 15,000. */
  readonly lease: number;
}

export interface Settings extends Required<Omit<KillswitchOptions, 'deadlines' | 'runtimes' | 'release'>> {
  readonly approvals: number;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly deadlines: Deadlines;
}

const longestMs = 24 * 60 * 60 * 1_000;
const ms = z.number().int().min(1).max(longestMs);
const fn = z.custom((value) => typeof value === 'function', 'must be a function');
const having = (...methods: string[]) =>
  z.custom(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function'),
    `must be an object with the methods ${methods.join(', ')}`,
  );

const cleanupStep = having('appliesTo', 'run').refine(
  (step) => idSchema.safeParse((step as { name?: unknown }).name).success,
  'must have a name that is an id',
);

const schema = z.strictObject({
  hostId: idSchema,
  state: having(
    'admit',
    'getAgent',
    'swapAgents',
    'listAgents',
    'placeOrder',
    'swapOrder',
    'listOpenOrders',
    'approve',
    'release',
    'renewLease',
    'listLeases',
    'watch',
  ),
  audit: having('append', 'read', 'heads'),
  runtimes: z.record(idSchema, having('kill', 'force', 'inspect')),
  cleanup: z.array(cleanupStep).optional(),
  authorizer: having('decide').optional(),
  deadlines: z
    .strictObject({ forceAfter: ms, confirmWithin: ms, cleanup: ms, state: ms, lease: ms })
    .partial()
    .optional(),
  release: z.strictObject({ approvals: z.number().int().min(1).max(10) }).optional(),
  clock: having('now', 'setTimer').optional(),
  randomBytes: fn.optional(),
  lastResort: fn.optional(),
});

/** @throws InvalidConfigurationError listing every fault. */
export function settingsOf(options: KillswitchOptions): Settings {
  const issues: string[] = [];
  const parsed = schema.safeParse(options);
  if (!parsed.success) issues.push(...issueLines(parsed.error));
  const deadlines: Deadlines = {
    forceAfter: 2_000,
    confirmWithin: 5_000,
    cleanup: 10_000,
    state: 500,
    lease: 15_000,
    ...options?.deadlines,
  };
  if (deadlines.forceAfter >= deadlines.confirmWithin) {
    issues.push(
      `deadlines: forceAfter (${deadlines.forceAfter}) must be less than confirmWithin (${deadlines.confirmWithin})`,
    );
  }
  const names = Array.isArray(options?.cleanup) ? options.cleanup.map((step) => step?.name) : [];
  for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i)))
    issues.push(`cleanup: two steps are named "${name}"`);
  if (issues.length > 0) throw new InvalidConfigurationError(issues);
  return {
    cleanup: [],
    authorizer: rolePolicy(),
    clock: systemClock,
    randomBytes: cryptoRandomBytes,
    lastResort: (line) => console.error(line),
    ...options,
    approvals: options.release?.approvals ?? 1,
    runtimes: new Map(Object.entries(options.runtimes)),
    deadlines,
  };
}
