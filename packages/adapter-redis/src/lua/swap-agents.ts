import { type Script, script } from '../script.ts';
import { recordHeadLua } from './agent-head.ts';

/**
 * KEYS: store, the agents, then lists. ARGV: id, epoch, channel, sender, call, number of agents, and of each: expected
 * revision, status, head, tail, agent id, and as text the places of its orders' keys, of the lists it may have been on,
 * and of those it is on from now on; the last two empty for one that lives and is listed already.
 * Everything is read at once and written at once, since each call of a command costs more than what it does for one agent.
 * Answers for each as text 1, 0, 2 for one that has to be listed again, or the key that is of the wrong type: one that cannot be
 * stored hinders no other. At the end the sequence number, which each call that changes something raises: so it is noticed
 * if the server loses that.
 */
export const swapAgents: Script = changing('', 'revision == ARGV[at]');

/**
 * The same for agents of a state that was lost: each is stored over an earlier revision, or where there is none. The last two
 * places are never empty.
 */
export const putBackAgents: Script = changing(
  `if not revision and not changed[key] and redis.call('EXISTS', key) == 0 then
    local fresh = redis.call('HINCRBY', KEYS[1], 'seq', 1)
    revision, by, seq = '-1', ARGV[5], string.format('%.0f', fresh)
  end`,
  'revision and tonumber(revision) <= tonumber(ARGV[at])',
);

function changing(before: string, isDue: string): Script {
  return script(
    'allow-oom',
    `
${recordHeadLua}
local ended = {completed = true, failed = true, killed = true}
local known = {['']={}}
local function keys_of(places)
  local keys = known[places]
  if keys then return keys end
  keys = {}
  for place in string.gmatch(places, '%d+') do
    local key = KEYS[tonumber(place)]
    keys[#keys + 1] = key
    if type(redis.pcall('ZCARD', key)) ~= 'number' then keys.unsound = key end
  end
  known[places] = keys
  return keys
end
local listed = {}
local function list(keys, seq, id)
  for _, key in ipairs(keys) do
    local to = listed[key] or {}
    listed[key], to[#to + 1], to[#to + 2] = to, seq, id
  end
end
local count = tonumber(ARGV[6])
local stored = redis.call('MGET', unpack(KEYS, 2, count + 1))
local changed, writes = {}, {}
local answers, events = {}, {}
local at = 7
for n = 1, count do
  local key = KEYS[n + 1]
  local revision, status, call, by, seq = record_head(changed[key] or stored[n])
  local answer = '0'
  ${before}
  if ${isDue} then
    local orders, leaves, enters = keys_of(ARGV[at + 5]), keys_of(ARGV[at + 6]), keys_of(ARGV[at + 7])
    if ended[status] and #leaves == 0 then answer = '2'
    else answer = orders.unsound or leaves.unsound or enters.unsound or '1' end
    if answer == '1' then
      local id = ARGV[at + 4]
      changed[key] = ARGV[at + 2] .. '"by":"' .. by .. '","seq":' .. seq .. ARGV[at + 3]
      writes[#writes + 1], writes[#writes + 2] = key, changed[key]
      list(orders, seq, id)
      for _, key in ipairs(leaves) do redis.call('ZREM', key, id) end
      list(enters, seq, id)
      events[#events + 1] = '"' .. id .. '":"' .. ARGV[at + 1] .. '"'
    end
  elseif revision and call == ARGV[5] .. '.' .. n and tonumber(revision) == tonumber(ARGV[at]) + 1 then
    answer = '1'
  end
  answers[n] = answer
  at = at + 8
end
answers[count + 1] = store[3] or '0'
if #writes > 0 then
  redis.call('MSET', unpack(writes))
  answers[count + 1] = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'seq', 1))
end
for key, to in pairs(listed) do redis.call('ZADD', key, unpack(to)) end
if #events > 0 then
  redis.pcall('PUBLISH', ARGV[3], '{"from":"' .. ARGV[4] .. '","agents":{' .. table.concat(events, ',') .. '}}')
end
return answers
`,
  );
}
