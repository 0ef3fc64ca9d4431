/** Longest head of a record, in bytes: the numbers are below 2^53, the call's name is ours. */
const longestHead = 320;

/** Lua: of the agent stored at a key its revision, status, call, admission's call and sequence number, all as text; nothing if there is none. */
export const agentHeadLua = `
local function agent_head(key)
  local head = redis.pcall('GETRANGE', key, 0, ${longestHead})
  if type(head) ~= 'string' then return nil end
  return string.match(head, '^{"v":1,"revision":(%d+),"status":"(%l+)","call":"([^"]*)","by":"([^"]*)","seq":(%d+),"agent":{')
end
`;

/** Lua: of a stored order its revision, call and sequence number, all as text. */
export const orderHeadLua = `
local function order_head(raw)
  return string.match(raw, '^{"v":1,"revision":(%d+),"call":"([^"]*)","seq":(%d+),"order":{')
end
`;
