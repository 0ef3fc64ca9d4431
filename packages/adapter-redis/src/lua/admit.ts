import { type Script, script } from '../script.ts';
import { agentHeadLua } from './agent-head.ts';
import { gateCountLua } from './gate-count.ts';

/**
 * KEYS: store, shut, gates, agent, task, ancestors with the parent first …, lists …
 * ARGV: id, epoch, head, tail, call, task record, agent id, number of ancestors, channel, event, number of scope keys, scope
 * keys …
 * Answers the result; with `admitted` the sequence number, with `gated` the gate's order id and record, with `task-conflict` the stored task.
 * One that this very call has admitted already stays admitted, whatever was shut since: it is in every listing.
 * Everything is read before anything is written, so that a key of the wrong type leaves nothing half done.
 */
export const admit: Script = script(
  '',
  `
${agentHeadLua}
${gateCountLua}
local _, _, _, by, own = agent_head(KEYS[4])
if by == ARGV[5] then return {'admitted', own} end
local scopes = tonumber(ARGV[11])
local on = redis.call('HMGET', KEYS[2], unpack(ARGV, 12, 11 + scopes))
for i = 1, scopes do
  if on[i] then
    local order = string.match(on[i], '^%S+')
    return {'gated', order or '', order and redis.call('HGET', KEYS[3], order) or false}
  end
end
local lacking = torn(KEYS[3], KEYS[2])
if lacking then return redis.error_reply('TORN ' .. lacking) end
if redis.call('EXISTS', KEYS[4]) == 1 then return {'exists'} end
local lists = 6 + tonumber(ARGV[8])
if lists > 6 and redis.call('EXISTS', KEYS[6]) == 0 then return {'parent-unknown'} end
for i = 6, lists - 1 do
  local revision, status = agent_head(KEYS[i])
  if status == 'killing' or status == 'killed' then return {'parent-killed'} end
  if not revision and redis.call('EXISTS', KEYS[i]) == 1 then return redis.error_reply('BROKEN ' .. KEYS[i]) end
end
local task = redis.call('GET', KEYS[5])
if task and task ~= ARGV[6] then return {'task-conflict', task} end
for i = lists, #KEYS do redis.call('ZCARD', KEYS[i]) end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
seq = string.format('%.0f', seq)
if not task then redis.call('SET', KEYS[5], ARGV[6]) end
redis.call('SET', KEYS[4], ARGV[3] .. '"by":"' .. ARGV[5] .. '","seq":' .. seq .. ARGV[4])
for i = lists, #KEYS do redis.call('ZADD', KEYS[i], seq, ARGV[7]) end
redis.pcall('PUBLISH', ARGV[9], ARGV[10])
return {'admitted', seq}
`,
);
