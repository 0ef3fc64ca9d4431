import { type Script, script } from '../script.ts';

/**
 * KEYS: store, orders, gates, changes. ARGV: id, epoch, epoch and order id of the last change that is known (empty if none
 * is asked for), limit. Answers epoch and order id of the last one told, then of each order its id, its record and whether its gate
 * stands. A state that does not have the known one, or has it from an earlier time, has lost it: `lost`.
 *
 * The gates that one release opens have one epoch: a limit never parts them.
 */
export const gateChanges: Script = script(
  'no-writes',
  `
if ARGV[3] == '' then
  local last = redis.call('ZRANGE', KEYS[4], -1, -1, 'WITHSCORES')
  return {last[2] or '0', last[1] or ''}
end
if ARGV[4] ~= '' then
  local score = redis.call('ZSCORE', KEYS[4], ARGV[4])
  if not score or tonumber(score) < tonumber(ARGV[3]) then return {'lost'} end
end
local found = redis.call('ZRANGE', KEYS[4], '(' .. ARGV[3], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[5], 'WITHSCORES')
if #found > 0 then
  local same = redis.call('ZRANGE', KEYS[4], found[#found], found[#found], 'BYSCORE', 'WITHSCORES')
  for i = #found - 1, 1, -2 do
    if found[i + 1] == same[2] then found[i], found[i + 1] = nil, nil end
  end
  for i = 1, #same do found[#found + 1] = same[i] end
end
local answer = {ARGV[3], ARGV[4]}
for i = 1, #found, 2 do
  answer[1], answer[2] = found[i + 1], found[i]
  answer[#answer + 1] = found[i]
  answer[#answer + 1] = redis.call('HGET', KEYS[2], found[i])
  answer[#answer + 1] = tostring(redis.call('HEXISTS', KEYS[3], found[i]))
end
return answer
`,
);
