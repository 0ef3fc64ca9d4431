/** Longest head of a record, in bytes: the numbers are below 2^53, the call's name is ours. */
const longestHead = 320;

/** Lua: of an agent's record its revision, status, call, admission's call and sequence number, all as text; nothing if it is none. */
export const recordHeadLua = `
local function record_head(record)
  if type(record) ~= 'string' then return nil end
  return string.match(record, '^{"v":1,"revision":(%d+),"status":"(%l+)","call":"([^"]*)","by":"([^"]*)","seq":(%d+),"agent":{')
end
`;

/** Lua: the same of the agent stored at a key. */
export const agentHeadLua = `
${recordHeadLua}
local function agent_head(key)
  return record_head(redis.pcall('GETRANGE', key, 0, ${longestHead}))
end
`;

/** Lua: of a stored order its revision, call and sequence number, all as text. */
export const orderHeadLua = `
local function order_head(raw)
  return string.match(raw, '^{"v":1,"revision":(%d+),"call":"([^"]*)","seq":(%d+),"order":{')
end
`;
