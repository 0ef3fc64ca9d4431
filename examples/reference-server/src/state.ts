import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { redisState } from '@agent-killswitch/adapter-redis';
import { sqliteState } from '@agent-killswitch/adapter-sqlite';
import type { StateStore } from '@agent-killswitch/core';
import { Redis } from 'ioredis';
import type { ServerConfig } from './config.ts';

/** Where the server's state is. */
export interface ServerState {
  readonly store: StateStore;
  /** Whether there was state in the server's folder before. */
  readonly isUsed: boolean;
  close(): void;
}

/** In Valkey, shared with every instance that is given the same one, if there is any; else in a file of its own. */
export function stateOf({ stateDir, valkey }: ServerConfig): ServerState {
  const file = join(stateDir, 'state.sqlite');
  const isUsed = existsSync(file);
  if (valkey === undefined) {
    const store = sqliteState(file);
    return { store, isUsed, close: () => store.close() };
  }
  const client = new Redis(valkey.url);
  let lastFault = '';
  // Tried again without end; a fault is said once, not at every try.
  client.on('error', ({ message }: Error) => {
    if (message !== lastFault) console.error(`Valkey: ${message}`);
    lastFault = message;
  });
  const store = redisState(client, { prefix: valkey.prefix });
  const close = (): void => {
    store.close();
    client.disconnect();
  };
  return { store, isUsed: false, close };
}
