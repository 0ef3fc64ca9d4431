import { type Script, script } from '../script.ts';
import { orderHeadLua } from './agent-head.ts';
import { gateCountLua } from './gate-count.ts';
import { idListLua } from './id-list.ts';

/**
 * KEYS: store, orders, open, joinable, gates, shut, openable, changes.
 * ARGV: id, epoch, order id, head, tail, gate, scope key, `opens` and scope key, whether it is settled, channel, event.
 * Answers `placed` and the epoch; `open` and the order to be joined; or `used`.
 */
export const placeOrder: Script = script(
  'allow-oom',
  `
${idListLua}
${gateCountLua}
local order = ARGV[3]
local same = redis.call('HGET', KEYS[4], ARGV[8])
if same then
  local open = string.match(same, '^%S+')
  return {'open', open or '', open and redis.call('HGET', KEYS[2], open) or false}
end
if redis.call('HEXISTS', KEYS[2], order) == 1 then return {'used'} end
redis.call('ZCARD', KEYS[3])
local lacking = torn(KEYS[5], KEYS[6])
redis.call('ZCARD', KEYS[7])
redis.call('ZCARD', KEYS[8])
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
seq = string.format('%.0f', seq)
redis.call('HSET', KEYS[2], order, ARGV[4] .. seq .. ARGV[5])
if ARGV[9] == '0' then
  redis.call('ZADD', KEYS[3], seq, order)
  add_id(KEYS[4], ARGV[8], order)
end
redis.call('HSET', KEYS[5], order, '{"seq":' .. seq .. ',' .. string.sub(ARGV[6], 2))
add_id(KEYS[6], ARGV[7], order)
if not lacking then count(KEYS[5], KEYS[6]) end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
if string.sub(ARGV[8], 1, 6) ~= 'never ' then redis.call('ZADD', KEYS[7], epoch, order) end
if string.sub(ARGV[8], 1, 10) ~= 'at-settle ' then redis.call('ZADD', KEYS[8], epoch, order) end
redis.pcall('PUBLISH', ARGV[10], ARGV[11])
return {'placed', string.format('%.0f', epoch)}
`,
);

/**
 * KEYS as of `placeOrder`. ARGV: id, epoch, order id, head, tail, expected revision, revision, call, scope key, `opens`
 * and scope key, whether it is settled, whether it can be joined, whether its gate goes, channel, event.
 * Answers 1 or 0, as text: a client may be set to give no numbers.
 */
export const swapOrder: Script = script(
  'allow-oom',
  `
${idListLua}
${gateCountLua}
${orderHeadLua}
local order = ARGV[3]
local raw = redis.call('HGET', KEYS[2], order)
if not raw then return '0' end
local revision, call, seq = order_head(raw)
if not revision then return redis.error_reply('BROKEN ' .. KEYS[2] .. ' ' .. order) end
if revision == ARGV[7] and call == ARGV[8] then return '1' end
if revision ~= ARGV[6] then return '0' end
redis.call('ZCARD', KEYS[3])
redis.call('HLEN', KEYS[4])
local lacking = torn(KEYS[5], KEYS[6])
redis.call('ZCARD', KEYS[7])
redis.call('HSET', KEYS[2], order, ARGV[4] .. seq .. ARGV[5])
if ARGV[11] == '1' then redis.call('ZREM', KEYS[3], order)
else redis.call('ZADD', KEYS[3], seq, order) end
if ARGV[12] == '1' then add_id(KEYS[4], ARGV[10], order)
else remove_id(KEYS[4], ARGV[10], order) end
if ARGV[13] == '1' and redis.call('HDEL', KEYS[5], order) == 1 then
  remove_id(KEYS[6], ARGV[9], order)
  if not lacking then count(KEYS[5], KEYS[6]) end
  redis.call('ZREM', KEYS[7], order)
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
end
redis.pcall('PUBLISH', ARGV[14], ARGV[15])
return '1'
`,
);

/** KEYS: store, orders, open. ARGV: id, epoch. Answers epoch and sequence number, then id and record of every open order, in turns, oldest first. */
export const listOpenOrders: Script = script(
  'no-writes',
  `
local answer = {store[2], store[3] or '0'}
for _, order in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  answer[#answer + 1] = order
  answer[#answer + 1] = redis.call('HGET', KEYS[2], order)
end
return answer
`,
);

/** KEYS: store, gates, shut. ARGV: id, epoch, scope key. Answers order id and gate of all that stand on it, in turns. */
export const readGatesOn: Script = script(
  'no-writes',
  `
local answer = {}
for order in string.gmatch(redis.call('HGET', KEYS[3], ARGV[3]) or '', '%S+') do
  answer[#answer + 1] = order
  answer[#answer + 1] = redis.call('HGET', KEYS[2], order)
end
return answer
`,
);

/**
 * KEYS: store, gates, openable, changes. ARGV: id, epoch, limit. Answers how many gates stand, then order id and gate, in turns,
 * of at most so many: the newest of those that open some day, and if there is room the newest of the others.
 */
export const gateOverview: Script = script(
  'no-writes',
  `
local limit = tonumber(ARGV[3])
local answer = {tostring(redis.call('HLEN', KEYS[2]))}
local function add(order)
  answer[#answer + 1] = order
  answer[#answer + 1] = redis.call('HGET', KEYS[2], order)
end
local found = redis.call('ZRANGE', KEYS[3], 0, limit - 1, 'REV')
for _, order in ipairs(found) do add(order) end
local left, start = limit - #found, 0
while left > 0 do
  local newest = redis.call('ZRANGE', KEYS[4], start, start + limit - 1, 'REV')
  if #newest == 0 then break end
  start = start + limit
  for _, order in ipairs(newest) do
    if left > 0 and not redis.call('ZSCORE', KEYS[3], order) and redis.call('HEXISTS', KEYS[2], order) == 1 then
      add(order)
      left = left - 1
    end
  end
end
return answer
`,
);
