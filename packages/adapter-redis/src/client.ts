import { InvalidConfigurationError } from '@agent-killswitch/core';
import type { Cluster, Redis } from 'ioredis';
import { StateClientError } from './errors.ts';

/** A client of `ioredis`, connected to one server or to a cluster, ready-made. */
export type RedisClient = Redis | Cluster;

/** What is refused at once, so that it is not found out by the first stop. */
export function checkClient(client: RedisClient): void {
  if (typeof client?.evalsha !== 'function') {
    throw new StateClientError('redisState needs a client of ioredis: pass new Redis(url)');
  }
  const { options } = client;
  if (options?.keyPrefix || ('redisOptions' in options && options.redisOptions?.keyPrefix)) {
    throw new InvalidConfigurationError([
      'client: has a keyPrefix, which would take the keys of one killswitch to several slots: use the option prefix',
    ]);
  }
  checkMode(client);
}

/** @throws StateClientError for a client that takes no ordinary commands. */
export function checkMode(client: RedisClient): void {
  if ('mode' in client && client.mode !== 'normal') {
    throw new StateClientError(
      `The client is in ${client.mode} mode and takes no ordinary commands: give redisState one of its own`,
    );
  }
}
