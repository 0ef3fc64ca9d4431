import { type Script, script } from '../script.ts';

/** KEYS: store, tasks … ARGV: id, epoch, records … Stores those that are not there. */
export const putBackTasks: Script = script(
  'allow-oom',
  `
for i = 2, #KEYS do redis.call('SETNX', KEYS[i], ARGV[i + 1]) end
return 1
`,
);
