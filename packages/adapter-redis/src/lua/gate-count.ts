/**
 * Lua: the store's hash counts the entries of `gates` and of `shut`, so that a server which drops one of these keys, or part of
 * it, opens nothing. `torn` answers the key that lacks entries, if one does; `count` takes down what is there now.
 */
export const gateCountLua = `
local function torn(gates, shut)
  local counted = redis.call('HMGET', KEYS[1], 'gates', 'shut')
  local standing, scopes = redis.call('HLEN', gates), redis.call('HLEN', shut)
  if standing > 0 and scopes == 0 or counted[2] and tonumber(counted[2]) ~= scopes then return shut end
  if scopes > 0 and standing == 0 or counted[1] and tonumber(counted[1]) ~= standing then return gates end
end
local function count(gates, shut)
  redis.call('HSET', KEYS[1], 'gates', redis.call('HLEN', gates), 'shut', redis.call('HLEN', shut))
end
`;
