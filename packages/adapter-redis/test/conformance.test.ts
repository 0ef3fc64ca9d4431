/** @services valkey redis */

import { stateStoreClauses } from '@agent-killswitch/conformance';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { describe, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { redisFactory } from './support/factory.ts';

const servers = { valkey: 'VALKEY_URL', redis: 'REDIS_URL' };

for (const [name, variable] of Object.entries(servers)) {
  withService(name, variable, (url) => {
    describe('redisState keeps every promise of the port', () => {
      for (const clause of stateStoreClauses) it(clause.name, () => clause.run(redisFactory(url)));
    });
  });
}

const clients: Record<string, (url: string) => Redis> = {
  'of ioredis 5': (url) => new Redis5(url) as unknown as Redis,
  'that speaks RESP2': (url) => new Redis(url, { protocol: 2 }),
  'that speaks RESP3': (url) => new Redis(url, { protocol: 3 }),
  'that pipelines by itself': (url) => new Redis(url, { enableAutoPipelining: true }),
  'that gives numbers as text': (url) => new Redis(url, { stringNumbers: true }) as unknown as Redis,
};

withService('valkey', 'VALKEY_URL', (url) => {
  describe.each(Object.entries(clients))('redisState keeps every promise on a client %s', (_, connect) => {
    for (const clause of stateStoreClauses) it(clause.name, () => clause.run(redisFactory(url, connect)));
  });
});
