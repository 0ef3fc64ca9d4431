// What a user's first program looks like; runs against the built packages, away from this workspace. Prints JSON.
import { createKillswitch, isKillswitchError } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';

const runtime = memoryRuntime();
const audit = memoryAudit();
const ks = createKillswitch({ hostId: 'node-1', state: memoryState(), audit, runtimes: { memory: runtime } });
await ks.start();

const agent = { agentId: 'a1', taskId: 't1', workspaceId: 'w1', ownerId: 'ada' };
const handle = runtime.spawn('stubborn');
await ks.admit(agent);
await ks.running('a1', [handle]);

/** @type {import('@agent-killswitch/core').Principal} */
const principal = { id: 'ada', kind: 'user', grants: [{ role: 'member', workspaceId: 'w1' }] };
const { killed, total, settled } = await ks.kill({ task: 't1' }, { principal, reason: 'it runs away' });
const refused = await ks.admit({ ...agent, agentId: 'a2' }).catch((error) => error);
const types = [];
for await (const { event } of audit.read()) types.push(event.type);
await ks.close();

const isRefused = isKillswitchError(refused, 'gate-closed');
console.log(JSON.stringify({ alive: runtime.isAlive(handle), killed, total, settled, isRefused, types }));
