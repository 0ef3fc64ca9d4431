import { type Script, script } from '../script.ts';
import { agentHeadLua } from './agent-head.ts';

/**
 * KEYS: store, the agents, then lists. ARGV: id, epoch, channel, sender, call, number of agents, and of each: expected
 * revision, status, head, tail, agent id, and as text the places of its orders' keys, of the lists it may have been on,
 * and of those it is on from now on; the last two empty for one that lives and is listed already.
 * Answers for each as text 1, 0, 2 for one that has to be listed again, or the key that is of the wrong type: one that cannot be
 * stored hinders no other.
 */
export const swapAgents: Script = changing('', 'revision == ARGV[at]');

/**
 * The same for agents of a state that was lost: each is stored over an earlier revision, or where there is none. The last two
 * places are never empty.
 */
export const putBackAgents: Script = changing(
  `if not revision and redis.call('EXISTS', key) == 0 then
    local fresh = redis.call('HINCRBY', KEYS[1], 'seq', 1)
    revision, by, seq = '-1', ARGV[5], string.format('%.0f', fresh)
  end`,
  'revision and tonumber(revision) <= tonumber(ARGV[at])',
);

function changing(before: string, isDue: string): Script {
  return script(
    'allow-oom',
    `
${agentHeadLua}
local ended = {completed = true, failed = true, killed = true}
local sound = {}
local function unsound(places)
  for place in string.gmatch(places, '%d+') do
    if sound[place] == nil then
      sound[place] = type(redis.pcall('ZCARD', KEYS[tonumber(place)])) == 'number'
    end
    if not sound[place] then return KEYS[tonumber(place)] end
  end
end
local answers, events = {}, {}
local at = 7
for n = 1, tonumber(ARGV[6]) do
  local key = KEYS[n + 1]
  local revision, status, call, by, seq = agent_head(key)
  local answer = '0'
  ${before}
  if ${isDue} then
    local orders, leaves, enters = ARGV[at + 5], ARGV[at + 6], ARGV[at + 7]
    if ended[status] and leaves == '' then answer = '2'
    else answer = unsound(orders) or unsound(leaves) or unsound(enters) or '1' end
    if answer == '1' then
      local id = ARGV[at + 4]
      redis.call('SET', key, ARGV[at + 2] .. '"by":"' .. by .. '","seq":' .. seq .. ARGV[at + 3])
      for place in string.gmatch(orders, '%d+') do redis.call('ZADD', KEYS[tonumber(place)], seq, id) end
      for place in string.gmatch(leaves, '%d+') do redis.call('ZREM', KEYS[tonumber(place)], id) end
      for place in string.gmatch(enters, '%d+') do redis.call('ZADD', KEYS[tonumber(place)], seq, id) end
      events[#events + 1] = '"' .. id .. '":"' .. ARGV[at + 1] .. '"'
    end
  elseif revision and call == ARGV[5] .. '.' .. n and tonumber(revision) == tonumber(ARGV[at]) + 1 then
    answer = '1'
  end
  answers[n] = answer
  at = at + 8
end
if #events > 0 then
  redis.pcall('PUBLISH', ARGV[3], '{"from":"' .. ARGV[4] .. '","agents":{' .. table.concat(events, ',') .. '}}')
end
return answers
`,
  );
}
