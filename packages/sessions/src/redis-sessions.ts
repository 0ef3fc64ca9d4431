import { InvalidConfigurationError, type Page, type PageRequest } from '@agent-killswitch/core';
import { placeOf, type SessionRecord, sessionRecordSchema } from './session-record.ts';
import type { SessionStore } from './session-store.ts';

/** A client of Valkey or Redis, ready-made: `Redis` and `Cluster` of ioredis are such. It stays yours to close. */
export interface SessionClient {
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
}

export interface RedisSessionsOptions {
  /** As that of `redisState`: what the names of all keys begin with, in braces. Default `orchestrator`. */
  readonly prefix?: string;
}

const put = `redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
redis.call('ZADD', KEYS[3], 0, ARGV[2])`;

/**
 * Sessions in Valkey or Redis, beside the state of `redisState`: `{orchestrator}:session:<id>`, listed under
 * `{orchestrator}:sessions` and `{orchestrator}:sessions:<workspaceId>`.
 * @throws InvalidConfigurationError
 */
export function redisSessions(client: SessionClient, options: RedisSessionsOptions = {}): SessionStore {
  const { prefix = 'orchestrator' } = options;
  if (typeof client?.call !== 'function')
    throw new InvalidConfigurationError(['redisSessions: needs a client, such as new Redis(url) of ioredis']);
  if (!/^[A-Za-z0-9._:@|+=~/-]{1,100}$/.test(prefix))
    throw new InvalidConfigurationError([
      'redisSessions: prefix: must be 1 to 100 of A-Z a-z 0-9 . _ : @ | + = ~ / -',
    ]);
  const base = `{${prefix}}:`;
  const keyOf = (sessionId: string): string => `${base}session:${sessionId}`;
  const listOf = (workspaceId?: string): string =>
    workspaceId === undefined ? `${base}sessions` : `${base}sessions:${workspaceId}`;

  return {
    async put(record) {
      const keys = [keyOf(record.sessionId), listOf(), listOf(record.workspaceId)];
      await client.call('EVAL', put, keys.length, ...keys, JSON.stringify(record), placeOf(record));
    },
    async get(sessionId) {
      return recordOf(await client.call('GET', keyOf(sessionId)));
    },
    async list({ limit, cursor }: PageRequest, workspaceId): Promise<Page<SessionRecord>> {
      const from = cursor === undefined ? '+' : `(${cursor}`;
      const found = await client.call(
        'ZREVRANGEBYLEX',
        listOf(workspaceId),
        from,
        '-',
        'LIMIT',
        0,
        limit + 1,
      );
      const places = Array.isArray(found) ? found.map(String) : [];
      const given = places.slice(0, limit);
      if (given.length === 0) return { items: [] };
      const texts = await client.call(
        'MGET',
        ...given.map((place) => keyOf(place.slice(place.indexOf(':') + 1))),
      );
      const items = (Array.isArray(texts) ? texts : [])
        .map(recordOf)
        .filter((record) => record !== undefined);
      const last = given.at(-1);
      return places.length > limit && last !== undefined ? { items, cursor: last } : { items };
    },
  };
}

function recordOf(text: unknown): SessionRecord | undefined {
  return typeof text === 'string' ? sessionRecordSchema.parse(JSON.parse(text)) : undefined;
}
