import { type Script, script } from '../script.ts';
import { agentHeadLua } from './agent-head.ts';

/**
 * KEYS: store, then agents and lists. ARGV: id, epoch, channel, sender, number of agents, and of each agent: the place of
 * its key, expected revision, revision, status, call, head, tail, agent id, and as text the places of the keys it may be
 * on while it lives, of those it is on from now on, and of its orders'.
 * Answers 1, 0, or the name of a key of the wrong type, for each: one that cannot be stored hinders no other.
 */
export const swapAgents: Script = script(
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
local at = 6
for n = 1, tonumber(ARGV[5]) do
  local key = KEYS[tonumber(ARGV[at])]
  local revision, status, call, seq = agent_head(key)
  local answer = 0
  if revision == ARGV[at + 1] then
    local moves = ended[status] or ended[ARGV[at + 3]]
    answer = unsound(ARGV[at + 10]) or (moves and (unsound(ARGV[at + 8]) or unsound(ARGV[at + 9]))) or 1
    if answer == 1 then
      local id = ARGV[at + 7]
      redis.call('SET', key, ARGV[at + 5] .. seq .. ARGV[at + 6])
      if moves then
        for place in string.gmatch(ARGV[at + 8], '%d+') do redis.call('ZREM', KEYS[tonumber(place)], id) end
        for place in string.gmatch(ARGV[at + 9], '%d+') do redis.call('ZADD', KEYS[tonumber(place)], seq, id) end
      end
      for place in string.gmatch(ARGV[at + 10], '%d+') do redis.call('ZADD', KEYS[tonumber(place)], seq, id) end
      events[#events + 1] = '"' .. id .. '":"' .. ARGV[at + 3] .. '"'
    end
  elseif revision == ARGV[at + 2] and call == ARGV[at + 4] then
    answer = 1
  end
  answers[n] = answer
  at = at + 11
end
if #events > 0 then
  redis.call('PUBLISH', ARGV[3], '{"from":"' .. ARGV[4] .. '","agents":{' .. table.concat(events, ',') .. '}}')
end
return answers
`,
);
