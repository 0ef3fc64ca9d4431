import {
  type Clock,
  describeError,
  InvalidConfigurationError,
  idSchema,
  systemClock,
} from '@agent-killswitch/core';
import { z } from 'zod';
import type { RetryOptions } from './backoff.ts';
import { type Resolve, systemResolve } from './connection.ts';
import { type DeadLetters, memoryDeadLetters } from './dead-letters.ts';
import { type WebhookType, webhookTypes } from './event-types.ts';
import { isNetwork, Networks } from './networks.ts';
import type { WebhookEndpoint, WebhooksOptions } from './options.ts';
import { keyOf } from './signature.ts';
import { faultOfUrl, hostOf } from './target.ts';

export interface EndpointSettings {
  readonly name: string;
  readonly url: URL;
  readonly keys: readonly Buffer[];
  readonly events: ReadonlySet<WebhookType>;
  readonly networks: Networks;
  readonly redirects: number;
}

export interface Settings extends Required<Omit<WebhooksOptions, 'endpoints' | 'retry'>> {
  readonly endpoints: readonly EndpointSettings[];
  readonly retry: Required<RetryOptions>;
  /** The library's own clock goes on when the machine's is set back; a receiver compares with the machine's time. */
  readonly wallTime: () => number;
}

const ms = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const hasAll =
  (...names: readonly string[]) =>
  (value: unknown) =>
    names.every((name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function');
const fn = <T>() => z.custom<T>((value) => typeof value === 'function', 'must be a function');

const endpointSchema = z.strictObject({
  url: z.string(),
  secrets: z
    .array(
      z
        .string()
        .refine((secret) => keyOf(secret) !== undefined, 'must be whsec_ and 24 to 64 bytes in base64'),
    )
    .min(1)
    .max(5),
  name: idSchema.optional(),
  events: z
    .array(z.enum(webhookTypes as [WebhookType, ...WebhookType[]]))
    .min(1)
    .default([...webhookTypes]),
  networks: z
    .array(z.string().refine(isNetwork, 'must be an address or a network such as 10.1.0.0/16'))
    .max(100)
    .default([]),
  redirects: z.number().int().min(0).max(5).default(0),
});
const optionsSchema = z.strictObject({
  endpoints: z.array(endpointSchema).min(1).max(64),
  deadLetters: z
    .custom<DeadLetters>(hasAll('add', 'list', 'remove'), 'must be an object with add, list and remove')
    .default(() => memoryDeadLetters()),
  retry: z
    .strictObject({
      tries: z.number().int().min(1).max(100).default(10),
      firstMs: ms.default(5_000),
      longestMs: ms.default(43_200_000),
    })
    .prefault({}),
  attemptMs: ms.default(15_000),
  mostWaiting: z.number().int().min(1).max(1_000_000).default(10_000),
  atOnce: z.number().int().min(1).max(100).default(4),
  onTrouble: fn<(line: string) => void>().default(() => (line: string) => console.error(line)),
  clock: z
    .custom<Clock>(hasAll('now', 'setTimer'), 'must be an object with now and setTimer')
    .default(systemClock),
  chance: fn<() => number>().default(() => () => Math.random()),
  resolve: fn<Resolve>().default(() => systemResolve),
});

/** @throws InvalidConfigurationError listing every fault, without any URL or secret. */
export function settingsOf(given: WebhooksOptions): Settings {
  const faults: string[] = [];
  try {
    const parsed = optionsSchema.safeParse(given);
    if (!parsed.success)
      faults.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
    faults.push(...faultsOfUrls(given?.endpoints));
    if (parsed.success && faults.length === 0) {
      const endpoints = parsed.data.endpoints.map(endpointOf);
      faults.push(...repeatedNames(endpoints));
      const wallTime = given.clock === undefined ? () => Date.now() : parsed.data.clock.now;
      if (faults.length === 0) return { ...parsed.data, endpoints, wallTime };
    }
  } catch (error) {
    faults.push(`options: cannot be read: ${describeError(error)}`);
  }
  throw new InvalidConfigurationError(faults.map((fault) => `webhooks ${fault}`));
}

/** Also where something else is wrong with an endpoint: every fault is listed. */
function faultsOfUrls(endpoints: unknown): string[] {
  if (!Array.isArray(endpoints)) return [];
  return endpoints.flatMap((endpoint: Partial<WebhookEndpoint> | null | undefined, at) => {
    const { url, networks } = endpoint ?? {};
    if (typeof url !== 'string') return [];
    const entries: readonly unknown[] = Array.isArray(networks) ? networks : [];
    const valid = entries.filter((each) => typeof each === 'string').filter(isNetwork);
    const fault = faultOfUrl(url, new Networks(valid));
    return fault === undefined ? [] : [`endpoints.${at}.url: ${fault}`];
  });
}

function endpointOf({
  url: text,
  secrets,
  name,
  events,
  networks,
  redirects,
}: z.output<typeof endpointSchema>): EndpointSettings {
  const url = new URL(text);
  return {
    name: name ?? hostOf(url).slice(0, 128),
    url,
    keys: secrets.map(keyOf).filter((key) => key !== undefined),
    events: new Set(events),
    networks: new Networks(networks),
    redirects,
  };
}

function repeatedNames(endpoints: readonly EndpointSettings[]): string[] {
  const names = endpoints.map(({ name }) => name);
  const repeated = new Set(names.filter((name, at) => names.indexOf(name) !== at));
  return [...repeated].map((name) => `endpoints: two are named "${name}": give each a name of its own`);
}
