import { createHash } from 'node:crypto';

/** A Lua script that runs as one atomic step. */
export interface Script {
  readonly source: string;
  /** SHA-1 of the source: the name under which the server caches it. */
  readonly sha: string;
}

/**
 * What every script begins with. `KEYS[1]` is the store's hash, `ARGV[1]` the id that the client knows it by, and `ARGV[2]` the
 * least epoch and sequence number: a state that is another one or an older one answers nothing (`LOST`).
 */
const prelude = `
local store = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'seq')
local least_epoch, least_seq = string.match(ARGV[2], '^(%d+) (%d+)$')
if store[1] ~= ARGV[1] or not store[2] or tonumber(store[2]) < tonumber(least_epoch)
  or tonumber(store[3] or 0) < tonumber(least_seq) then
  return redis.error_reply('LOST ' .. tostring(store[1]) .. ' ' .. tostring(store[2]))
end
`;

/**
 * @param flags `no-writes`; or `allow-oom` for what must work at `maxmemory`; or none. With flags, a server in cluster
 * mode refuses keys of several slots.
 */
export function script(flags: 'no-writes' | 'allow-oom' | '', body: string): Script {
  return named(flags, prelude + body);
}

/** A script without the prelude, for what comes before the state is known. */
export function bareScript(flags: 'no-writes' | 'allow-oom' | '', body: string): Script {
  return named(flags, body);
}

function named(flags: string, body: string): Script {
  const source = `#!lua${flags === '' ? '' : ` flags=${flags}`}\n${body.trim()}\n`;
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
