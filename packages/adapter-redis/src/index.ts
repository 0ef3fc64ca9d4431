export type { RedisClient } from './client.ts';
export {
  StateBusyError,
  StateClientError,
  StateClosedError,
  StateConnectionError,
  StateEvictionError,
  StateFullError,
  StateLostError,
  StateRecordError,
  StateVersionError,
} from './errors.ts';
export type { RedisStateOptions } from './options.ts';
export { type RedisState, redisState } from './redis-state.ts';
