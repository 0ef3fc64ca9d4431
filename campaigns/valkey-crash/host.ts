/**
 * A host in a process of its own, with real processes as agents, told what to do by a JSON object a line on stdin, each
 * answered by one on stdout.
 */
import { createInterface } from 'node:readline';
import { fileJournal } from '@agent-killswitch/adapter-file-audit';
import { processRuntime } from '@agent-killswitch/adapter-process';
import { redisState } from '@agent-killswitch/adapter-redis';
import { createKillswitch, isKillswitchError, type Runtime } from '@agent-killswitch/core';
import { Redis } from 'ioredis';
import type { Command, HostSettings } from './host-process.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as HostSettings;
const { url, prefix, hostId, folder, deadlines } = settings;
const principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] } as const;
const processes = processRuntime();
let { nature } = settings;

/** Agents that die of the first kill, only when forced, or not before they are made mortal. */
const runtime: Runtime = {
  reach: processes.reach,
  canForce: true,
  kill: async (handle, context) => (nature === 'easy' ? processes.kill(handle, context) : undefined),
  force: async (handle, context) => (nature === 'immortal' ? undefined : processes.kill(handle, context)),
  inspect: (handle, context) => processes.inspect(handle, context),
  locate: (agentId, context) => processes.locate(agentId, context),
};
const client = new Redis(url);
client.on('error', () => {});
const state = redisState(client, { prefix });
const ks = createKillswitch({
  ...{ hostId, state, audit: fileJournal(folder), runtimes: { process: runtime } },
  cleanup: [{ name: 'papers', appliesTo: () => true, run: async () => undefined }],
  deadlines,
  lastResort: () => {},
});

async function obey(command: Command): Promise<object> {
  switch (command.do) {
    case 'spawn': {
      const { agentId, taskId } = command;
      await ks.admit({ agentId, taskId, workspaceId: 'w', ownerId: 'o' });
      const { handle } = await processes.spawnAgent('sleep', ['600'], { agentId });
      await ks.running(agentId, [handle]);
      return { pid: handle.pid };
    }
    case 'stop': {
      const { scope, at, victim } = command;
      const off = ks.on('step', ({ step }) => {
        if (step !== at || victim === undefined) return;
        off();
        process.kill(victim, at === undefined ? 0 : 'SIGKILL');
      });
      const request = { principal, reason: 'drill', waitMs: 0 };
      const { orderId } = await ('everything' in scope ? ks.emergencyStop(request) : ks.kill(scope, request));
      return { orderId };
    }
    case 'release':
      return { released: (await ks.release({ everything: true }, { principal, reason: 'over' })).released };
    case 'relent':
      nature = 'easy';
      return {};
  }
}

await ks.start();
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await obey(JSON.parse(line) as Command).catch((error: unknown) => ({
    error: isKillswitchError(error) ? error.code : 'unknown',
    why: String(error),
  }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await ks.close().catch(() => undefined);
state.close();
client.disconnect();
