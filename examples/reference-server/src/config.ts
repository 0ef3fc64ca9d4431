import { resolve } from 'node:path';
import { KillswitchError } from '@agent-killswitch/core';
import { z } from 'zod';

/** The environment or the principals file makes no sense. The message names the variable or file and what it should be. */
export class ServerConfigError extends KillswitchError {
  readonly code = 'server-config';
}

const postgresUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be postgres://…' });

const list = z.string().transform((text) => text.split(/[\s,]+/).filter((each) => each !== ''));

const schema = z.object({
  ORCHESTRATOR_HOST: z.string().min(1).default('127.0.0.1'),
  ORCHESTRATOR_PORT: z.coerce.number().int().min(0).max(65_535).default(3_001),
  STATE_DIR: z.string().min(1).default('.killswitch'),
  SHUTDOWN_GRACE_MS: z.coerce.number().int().min(0).max(3_600_000).default(5_000),
  REPOSITORIES_ROOT: z.string().min(1).optional(),
  REFERENCE_PRINCIPALS_FILE: z.string().min(1).optional(),
  SANDBOX_ENABLED: z.enum(['true', 'false', '1', '0']).default('false'),
  SANDBOX_IMAGE: z.string().min(1).default('busybox:stable'),
  VALKEY_URL: z.url({ protocol: /^(redis|rediss|valkey|valkeys)$/ }).optional(),
  VALKEY_HOST: z.string().min(1).optional(),
  VALKEY_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
  VALKEY_PREFIX: z.string().min(1).default('orchestrator'),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_OWNER_URL: postgresUrl.optional(),
  AUDIT_CURSOR_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
    .optional(),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,512}$/, 'must be 16 to 512 visible ASCII characters')
    .optional(),
  WEBHOOK_URL: z.string().optional(),
  WEBHOOK_SECRET: list.optional(),
  WEBHOOK_NETWORKS: list.default([]),
});

export interface ServerConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where state, journal and the agents' working folders live. Absolute. */
  readonly stateDir: string;
  /** How long agents are asked to end, when the server is, before they are killed. */
  readonly shutdownGraceMs: number;
  readonly principalsFile?: string;
  /** Agents whose context names a repository below it work in a worktree. Absolute. */
  readonly repositoriesRoot?: string;
  /** What agents' containers are made of; absent if agents are no containers. */
  readonly sandboxImage?: string;
  /** Where several instances share their state. Absent: each has its own, in its folder. */
  readonly valkey?: { readonly url: string; readonly prefix: string };
  /** Where the audit record goes from the journal. Absent: the journal is the record. `ownerUrl`: who may make its tables. */
  readonly database?: { readonly url: string; readonly ownerUrl?: string };
  /** What the cursors of instances behind one address are sealed with. */
  readonly cursorKey?: Uint8Array;
  /** Reads `GET /metrics` and nothing else. */
  readonly metricsToken?: string;
  /** Who is told what goes on record. `secrets`: the receiver's, two while one takes the place of the other. */
  readonly webhook?: {
    readonly url: string;
    readonly secrets: readonly string[];
    readonly networks: readonly string[];
  };
}

/** REQUIREMENTS C7. A variable that is empty counts as not set. @throws ServerConfigError */
export function configOf(environment: Readonly<Record<string, string | undefined>>): ServerConfig {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(set);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ServerConfigError(`Invalid environment: ${faults.join('; ')}`);
  }
  const { ORCHESTRATOR_HOST, ORCHESTRATOR_PORT, STATE_DIR, REFERENCE_PRINCIPALS_FILE, REPOSITORIES_ROOT } =
    parsed.data;
  const { SANDBOX_ENABLED, SANDBOX_IMAGE, AUDIT_CURSOR_KEY, METRICS_TOKEN } = parsed.data;
  const isSandboxed = SANDBOX_ENABLED === 'true' || SANDBOX_ENABLED === '1';
  return {
    host: ORCHESTRATOR_HOST,
    port: ORCHESTRATOR_PORT,
    stateDir: resolve(STATE_DIR),
    shutdownGraceMs: parsed.data.SHUTDOWN_GRACE_MS,
    ...(REPOSITORIES_ROOT === undefined ? {} : { repositoriesRoot: resolve(REPOSITORIES_ROOT) }),
    ...(REFERENCE_PRINCIPALS_FILE === undefined
      ? {}
      : { principalsFile: resolve(REFERENCE_PRINCIPALS_FILE) }),
    ...(isSandboxed ? { sandboxImage: SANDBOX_IMAGE } : {}),
    ...valkeyOf(parsed.data),
    ...databaseOf(parsed.data),
    ...webhookOf(parsed.data),
    ...(METRICS_TOKEN === undefined ? {} : { metricsToken: METRICS_TOKEN }),
    ...(AUDIT_CURSOR_KEY === undefined ? {} : { cursorKey: Buffer.from(AUDIT_CURSOR_KEY, 'hex') }),
  };
}

function databaseOf(set: z.infer<typeof schema>): Pick<ServerConfig, 'database'> {
  const { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl } = set;
  if (url !== undefined) return { database: { url, ...(ownerUrl === undefined ? {} : { ownerUrl }) } };
  if (ownerUrl === undefined) return {};
  throw new ServerConfigError('Invalid environment: DATABASE_OWNER_URL: means nothing without DATABASE_URL');
}

function webhookOf(set: z.infer<typeof schema>): Pick<ServerConfig, 'webhook'> {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secrets, WEBHOOK_NETWORKS: networks } = set;
  if (url === undefined && secrets === undefined) return {};
  if (url !== undefined && secrets !== undefined) return { webhook: { url, secrets, networks } };
  throw new ServerConfigError('Invalid environment: WEBHOOK_URL and WEBHOOK_SECRET go together');
}

/** A URL, or a host or a port of which the other has its usual value. */
function valkeyOf(set: z.infer<typeof schema>): Pick<ServerConfig, 'valkey'> {
  const { VALKEY_URL, VALKEY_HOST, VALKEY_PORT, VALKEY_PREFIX: prefix } = set;
  // ioredis knows the schemes of Redis only; they mean the same.
  if (VALKEY_URL !== undefined) return { valkey: { url: VALKEY_URL.replace(/^valkey/, 'redis'), prefix } };
  if (VALKEY_HOST === undefined && VALKEY_PORT === undefined) return {};
  const host = VALKEY_HOST ?? '127.0.0.1';
  const url = `redis://${host.includes(':') ? `[${host}]` : host}:${VALKEY_PORT ?? 6_379}`;
  return { valkey: { url, prefix } };
}
