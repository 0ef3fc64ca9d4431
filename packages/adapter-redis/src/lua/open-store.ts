import { bareScript, type Script } from '../script.ts';

/**
 * KEYS: store. ARGV: an id for the state if there is none yet, this version, and the id of one that was found
 * to have lost something, or nothing: it goes on under the new id, so that everybody who knew it notices, however far others bring it. Answers the state's id, epoch
 * and sequence number. A state of a newer version is refused, and a server
 * that drops keys when it is full, if it says so.
 */
export const openStore: Script = bareScript(
  'allow-oom',
  `
local memory = redis.pcall('INFO', 'memory')
local policy = type(memory) == 'string' and string.match(memory, 'maxmemory_policy:(allkeys%S*)')
if policy then return redis.error_reply('EVICTS ' .. policy) end
local found = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'version', 'seq')
if found[3] and found[3] ~= ARGV[2] then return redis.error_reply('VERSION ' .. found[3]) end
if found[1] and found[2] then
  if found[1] == ARGV[3] then redis.call('HSET', KEYS[1], 'id', ARGV[1]) end
  return {found[1] == ARGV[3] and ARGV[1] or found[1], found[2], found[4] or '0'}
end
if redis.call('EXISTS', KEYS[1]) == 1 then return redis.error_reply('BROKEN ' .. KEYS[1]) end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'epoch', '0', 'seq', '0', 'version', ARGV[2])
return {ARGV[1], '0', '0'}
`,
);
