import { type Script, script } from '../script.ts';
import { gateCountLua } from './gate-count.ts';
import { idListLua } from './id-list.ts';

/**
 * KEYS: store, gates, shut, approvals, released, changes, openable. ARGV: id, epoch, call, channel, event, number of gates, of each gate that
 * is to go its order's id, its scope key and its record, then every order's id.
 * Only a gate that is still as it was read goes. Answers the ids of the orders whose gates this call removed.
 */
export const release: Script = script(
  'allow-oom',
  `
${idListLua}
${gateCountLua}
local lacking = torn(KEYS[2], KEYS[3])
for i = 4, 5 do redis.call('HLEN', KEYS[i]) end
redis.call('ZCARD', KEYS[6])
redis.call('ZCARD', KEYS[7])
local gone = {}
local at = 7
local fresh = {}
for _ = 1, tonumber(ARGV[6]) do
  local order = ARGV[at]
  if redis.call('HGET', KEYS[2], order) == ARGV[at + 2] then
    redis.call('HDEL', KEYS[2], order)
    remove_id(KEYS[3], ARGV[at + 1], order)
    redis.call('ZREM', KEYS[7], order)
    redis.call('HSET', KEYS[5], order, ARGV[3])
    fresh[#fresh + 1] = order
  end
  if redis.call('HGET', KEYS[5], order) == ARGV[3] then gone[#gone + 1] = order end
  at = at + 3
end
for _, field in ipairs(redis.call('HKEYS', KEYS[4])) do
  local orders = ' ' .. string.match(field, '^[^\\n]*') .. ' '
  for i = at, #ARGV do
    if string.find(orders, ' ' .. ARGV[i] .. ' ', 1, true) then redis.call('HDEL', KEYS[4], field) end
  end
end
if #fresh > 0 then
  if not lacking then count(KEYS[2], KEYS[3]) end
  local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  for _, order in ipairs(fresh) do redis.call('ZADD', KEYS[6], epoch, order) end
  redis.pcall('PUBLISH', ARGV[4], ARGV[5])
end
return gone
`,
);

/**
 * KEYS: store, approvals. ARGV: id, epoch, order ids with a newline, principal id, approval.
 * Answers the fields and records of all that are kept for these orders, in turns.
 */
export const approve: Script = script(
  '',
  `
local field = ARGV[3] .. ARGV[4]
if redis.call('HEXISTS', KEYS[2], field) == 0 then
  local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
  redis.call('HSET', KEYS[2], field, '{"seq":' .. string.format('%.0f', seq) .. ',' .. string.sub(ARGV[5], 2))
end
local kept = {}
for _, each in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.sub(each, 1, #ARGV[3]) == ARGV[3] then
    kept[#kept + 1] = each
    kept[#kept + 1] = redis.call('HGET', KEYS[2], each)
  end
end
return kept
`,
);
