import { type Script, script } from '../script.ts';

/** KEYS: store, leases. ARGV: id, epoch, host id, until. Keeps the longer one. One that cannot be read is overwritten. */
export const renewLease: Script = script(
  'allow-oom',
  `
local known = tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or '')
if not known or known < tonumber(ARGV[4]) then redis.call('HSET', KEYS[2], ARGV[3], ARGV[4]) end
return 1
`,
);
