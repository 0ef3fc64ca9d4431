import { describeError, InvalidConfigurationError } from '@agent-killswitch/core';
import { readPage } from './read-page.ts';
import { placeOf } from './session-place.ts';
import { recordOf, type SessionRecord, UnreadableRecordError } from './session-record.ts';
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
const remove = `redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])`;

/**
 * Sessions in Valkey or Redis, beside the state of `redisState`: `{orchestrator}:session:<id>`, listed under
 * `{orchestrator}:sessions` and `{orchestrator}:sessions:<workspaceId>`.
 * @throws InvalidConfigurationError
 */
export function redisSessions(client: SessionClient, options: RedisSessionsOptions = {}): SessionStore {
  const { prefix = 'orchestrator', ...others } = options ?? {};
  if (typeof client?.call !== 'function')
    throw new InvalidConfigurationError(['redisSessions: needs a client, such as new Redis(url) of ioredis']);
  if (Object.keys(others).length > 0)
    throw new InvalidConfigurationError([`redisSessions: there is no option ${Object.keys(others).join()}`]);
  if (typeof prefix !== 'string' || !/^[A-Za-z0-9._:@|+=~/-]{1,100}$/.test(prefix))
    throw new InvalidConfigurationError([
      'redisSessions: prefix: must be 1 to 100 of A-Z a-z 0-9 . _ : @ | + = ~ / -',
    ]);
  const base = `{${prefix}}:`;
  const keyOf = (sessionId: string): string => `${base}session:${sessionId}`;
  const listOf = (workspaceId?: string): string =>
    workspaceId === undefined ? `${base}sessions` : `${base}sessions:${workspaceId}`;

  const keysOf = ({ sessionId, workspaceId }: Pick<SessionRecord, 'sessionId' | 'workspaceId'>): string[] => [
    keyOf(sessionId),
    listOf(),
    listOf(workspaceId),
  ];
  async function get(sessionId: string): Promise<SessionRecord | undefined> {
    const key = keyOf(sessionId);
    const text = await client.call('GET', key).catch((error: unknown) => {
      throw describeError(error).includes('WRONGTYPE') ? new UnreadableRecordError(key, error) : error;
    });
    return typeof text === 'string' ? recordOf(sessionId, text, key) : undefined;
  }

  return {
    get,
    async put(record) {
      await client.call('EVAL', put, 3, ...keysOf(record), JSON.stringify(record), placeOf(record));
    },
    async list({ limit, cursor }, workspaceId) {
      const from = cursor === undefined ? '+' : `(${cursor}`;
      const page = ['LIMIT', 0, limit + 1] as const;
      const found = await client.call('ZREVRANGEBYLEX', listOf(workspaceId), from, '-', ...page);
      return readPage(Array.isArray(found) ? found.map(String) : [], limit, get);
    },
    async remove(session) {
      await client.call('EVAL', remove, 3, ...keysOf(session), placeOf(session));
    },
  };
}
