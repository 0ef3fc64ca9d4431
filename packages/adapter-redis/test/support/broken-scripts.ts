import type { Redis } from 'ioredis';
import { admit } from '../../src/lua/admit.ts';
import { swapAgents } from '../../src/lua/swap-agents.ts';
import type { Script } from '../../src/script.ts';

/** Mistakes that a history must show: what the script does not do, the script, and its source with the mistake. */
export const brokenScripts: readonly (readonly [what: string, script: Script, source: string])[] = [
  [
    'claims without looking at the revision',
    swapAgents,
    swapAgents.source.replace('if revision == ARGV[at] then', 'if revision then'),
  ],
  [
    'admits without looking at the gates',
    admit,
    admit.source.replace('for i = 1, scopes do', 'for i = 1, 0 do'),
  ],
];

/** Has the client run another source in the place of a script. @throws Error if that is the script's own. */
export function replaceScript(
  client: Redis,
  { source: original, sha: replaced }: Script,
  source: string,
): void {
  if (source === original) throw new Error('The mistake has no place in the script any more');
  const evalsha = client.evalsha.bind(client) as (...args: unknown[]) => Promise<unknown>;
  const evaluate = client.eval.bind(client) as (...args: unknown[]) => Promise<unknown>;
  const run = (sha: unknown, ...rest: unknown[]) =>
    sha === replaced ? evaluate(source, ...rest) : evalsha(sha, ...rest);
  client.evalsha = run as Redis['evalsha'];
}
