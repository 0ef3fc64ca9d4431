import { randomUUID } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { onTestFinished } from 'vitest';
import { type RedisState, type RedisStateOptions, redisState } from '../../src/index.ts';
import { removeKeys } from './factory.ts';

/** A client that is disconnected after the test. */
export function clientOf(url: string, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const client = new Redis(url, options);
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** A store with a client of its own; both end after the test. */
export function storeOf(url: string, options: RedisStateOptions = {}, client = clientOf(url)): RedisState {
  const store = redisState(client, options);
  onTestFinished(() => store.close());
  return store;
}

/** A prefix that nobody else uses; its keys are removed after the test. */
export function ownPrefix(url: string): string {
  const prefix = `test-${randomUUID()}`;
  onTestFinished(() => removeKeys(url, prefix));
  return prefix;
}
