import { type Script, script } from '../script.ts';

/** KEYS: store, then a record's key. ARGV: id, epoch. Answers the record. */
export const readRecord: Script = script('no-writes', `return redis.call('GET', KEYS[2])`);

/** KEYS: store, a hash. ARGV: id, epoch, fields … Answers their values. */
export const readFields: Script = script(
  'no-writes',
  `
local values = {}
for i = 3, #ARGV do values[i - 2] = redis.call('HGET', KEYS[2], ARGV[i]) end
return values
`,
);

/** KEYS: store, a hash. ARGV: id, epoch. Answers all its fields and values, in turns. */
export const readHash: Script = script('no-writes', `return redis.call('HGETALL', KEYS[2])`);

/**
 * KEYS: store, a list, and perhaps the record that is listed there by itself. ARGV: id, epoch, after, limit.
 * Answers that record (nothing if it is not there, empty if it is of another type), then ids and sequence numbers in turns.
 */
export const readList: Script = script(
  'no-writes',
  `
local own = KEYS[3] and redis.pcall('GET', KEYS[3])
if type(own) == 'table' then own = '' end
local ids = redis.call('ZRANGE', KEYS[2], '(' .. ARGV[3], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[4], 'WITHSCORES')
return {own or false, ids}
`,
);
