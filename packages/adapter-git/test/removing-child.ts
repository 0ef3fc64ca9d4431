/**
 * A service that removes worktrees, for tests that kill it. Arguments: the root and a file with the agents' records.
 * Says `ready`, waits for a line, removes all of them, and says `done`.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Agent } from '@agent-killswitch/core';
import { worktreeRemoval } from '../src/index.ts';

const [root = '', records = ''] = process.argv.slice(2);
const agents = JSON.parse(readFileSync(records, 'utf8')) as Agent[];
const removal = worktreeRemoval({ root });
console.log('ready');
await once(process.stdin, 'data');
const { signal } = new AbortController();
await Promise.all(agents.map((agent) => removal.run(agent, { signal })));
await removal.idle();
console.log('done');
process.exit(0);
