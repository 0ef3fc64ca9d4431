import { randomUUID } from 'node:crypto';
import type { StateStoreFactory } from '@agent-killswitch/conformance';
import { Redis } from 'ioredis';
import { type RedisState, redisState } from '../../src/index.ts';

/** State under a prefix of its own, whose keys are removed afterwards. */
export function redisFactory(url: string, connect = (to: string): Redis => new Redis(to)): StateStoreFactory {
  const prefix = `test-${randomUUID()}`;
  const opened: { client: Redis; store: RedisState }[] = [];
  const open = async () => {
    const client = connect(url);
    const store = redisState(client, { prefix });
    opened.push({ client, store });
    return store;
  };
  const closeAll = () => {
    for (const { client, store } of opened.splice(0)) {
      store.close();
      client.disconnect();
    }
  };
  return {
    open,
    openSecond: open,
    reopen: async () => {
      closeAll();
      return open();
    },
    lose: () => removeKeys(url, prefix),
    dispose: async () => {
      closeAll();
      await removeKeys(url, prefix);
    },
  };
}

export async function removeKeys(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  const keys = await client.keys(`{${prefix}}:*`);
  if (keys.length > 0) await client.del(...keys);
  client.disconnect();
}
