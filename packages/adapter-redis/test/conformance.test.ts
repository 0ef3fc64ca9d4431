/** @services valkey redis */

import { stateStoreClauses } from '@agent-killswitch/conformance';
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
