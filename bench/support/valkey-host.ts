/**
 * A host in a process of its own, told what to do line by line on stdin: `spawn <task> <agents>`, `kill <task>`. It
 * answers with one JSON object a line: `{ready}`, `{placedAt}`, `{task, lastSignalAt, signals}` when all its agents are
 * signalled. Times are milliseconds of the machine's clock.
 */
import { createInterface } from 'node:readline';
import { processRuntime } from '@agent-killswitch/adapter-process';
import { redisState } from '@agent-killswitch/adapter-redis';
import { createKillswitch } from '@agent-killswitch/core';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { Redis } from 'ioredis';

const [url = '', prefix = '', hostId = ''] = process.argv.slice(2);
// As on machines of their own: no host reaches the agents of another.
const runtime = processRuntime({ runtime: hostId });
const client = new Redis(url);
client.on('error', () => {});
const state = redisState(client, { prefix });
const ks = createKillswitch({
  ...{ hostId, state, audit: memoryAudit(), runtimes: { [hostId]: runtime } },
  // A machine that is busy with something else is not what is measured.
  deadlines: { state: 5_000, forceAfter: 30_000, confirmWithin: 60_000 },
});
const signalled = new Map<string, number>();
let mine = 0;

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

ks.on('step', ({ step, order, at, agentId = '' }) => {
  if (step === 'placed') say({ placedAt: at });
  if (step !== 'signalled' || !agentId.startsWith(`${hostId}-`)) return;
  const task = 'task' in order.scope ? order.scope.task : '';
  const count = (signalled.get(task) ?? 0) + 1;
  signalled.set(task, count);
  if (count === mine) say({ task, lastSignalAt: at, signals: count });
});

async function spawn(taskId: string, count: number): Promise<void> {
  mine = count;
  for (let n = 0; n < count; n++) {
    const agentId = `${hostId}-${taskId}-${n}`;
    await ks.admit({ agentId, taskId, workspaceId: 'w', ownerId: 'o' });
    const { handle } = await runtime.spawnAgent('sleep', ['600'], { agentId });
    await ks.running(agentId, [handle]);
  }
}

await ks.start();
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const [what, task = '', count = '0'] = line.split(' ');
  if (what === 'spawn') {
    await spawn(task, Number(count));
    say({ ready: true });
  } else if (what === 'kill') {
    const principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] } as const;
    const { total, killed } = await ks.kill({ task }, { principal, reason: 'bench' });
    say({ total, killed });
  }
}
await ks.close().catch(() => undefined);
state.close();
client.disconnect();
