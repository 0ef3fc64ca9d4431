/** Lua: lists of ids, separated by spaces, in a field of a hash. An empty one is no field. */
export const idListLua = `
local function add_id(key, field, id)
  local ids = redis.call('HGET', key, field)
  if not ids then return redis.call('HSET', key, field, id) end
  if string.find(' ' .. ids .. ' ', ' ' .. id .. ' ', 1, true) then return end
  redis.call('HSET', key, field, ids .. ' ' .. id)
end
local function remove_id(key, field, id)
  local ids = redis.call('HGET', key, field)
  if not ids then return end
  local kept = {}
  for each in string.gmatch(ids, '%S+') do
    if each ~= id then kept[#kept + 1] = each end
  end
  if #kept == 0 then redis.call('HDEL', key, field)
  else redis.call('HSET', key, field, table.concat(kept, ' ')) end
end
`;
