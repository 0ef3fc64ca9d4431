import type { Service } from './service.ts';
import { respService } from './valkey.ts';

/** Redis without persistence, from Debian's own packages: 7.0 on Debian 12. */
export const redis: Service = respService({
  name: 'redis',
  variable: 'REDIS_URL',
  command: 'redis-server',
  backports: false,
});
