/**
 * Three orchestrators on one Valkey, each with agents of its own: an emergency stop that is asked for on the first kills
 * those of all three, and nothing starts on any of them until somebody releases it. Valkey is the one that `VALKEY_URL` names, or one
 * that is started for this.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNamed } from '../../../scripts/services/table.ts';
import { withServices } from '../../../scripts/services/with-services.ts';
import { Instance } from './instance.ts';

const names = ['one', 'two', 'three'] as const;
const token = randomBytes(24).toString('base64url');
const principal = { id: 'ops', kind: 'user', grants: [{ role: 'super-admin' }] };
const agent = { agentType: 'worker', behaviour: 'stubborn', workspaceId: 'demo' };

async function show(valkeyUrl: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'many-hosts-'));
  const principalsFile = join(folder, 'principals.json');
  await writeFile(principalsFile, JSON.stringify({ [token]: principal }), { mode: 0o600 });
  const prefix = `many-hosts-${randomUUID()}`;
  const instances: Instance[] = [];
  try {
    for (const name of names)
      instances.push(await Instance.start({ folder: join(folder, name), principalsFile, valkeyUrl, prefix }));
    const home = new Map<string, string>();
    for (const [n, instance] of instances.entries()) {
      for (const taskId of [`task-${n}-a`, `task-${n}-b`]) {
        const { body } = await instance.post('/agents/spawn', token, { ...agent, taskId });
        home.set(body.agentId ?? '', `${names[n]}`);
      }
      console.log(`${names[n]} listens on ${instance.url} and runs 2 agents that ignore SIGTERM`);
    }
    const [one, , three] = instances as [Instance, Instance, Instance];
    const stop = await one.post('/api/orchestrator/emergency-stop', token, { reason: 'drill' });
    console.log(`\nEmergency stop, asked for on one: ${stop.body.message}`);
    for (const { agentId, evidence } of stop.body.outcomes ?? [])
      console.log(`  ${agentId} of ${home.get(agentId)}: ${evidence}`);
    const late = await three.post('/agents/spawn', token, { ...agent, taskId: 'late' });
    console.log(`\nA spawn on three is answered with ${late.status}: ${late.body.detail}`);
    const release = { reason: 'the drill is over' };
    const released = await three.post('/api/orchestrator/emergency-stop/release', token, release);
    const again = await one.post('/agents/spawn', token, { ...agent, taskId: 'again' });
    console.log(`Released on three (${released.status}); a spawn on one is answered with ${again.status}`);
    if (stop.body.killed !== 6 || late.status !== 423 || again.status !== 201) process.exitCode = 1;
  } finally {
    for (const instance of instances) await instance.end();
    await rm(folder, { recursive: true, force: true });
  }
}

await withServices([serviceNamed('valkey')], async ({ env, missing }) => {
  if (env.VALKEY_URL !== undefined) return show(env.VALKEY_URL);
  console.error(`No Valkey: ${missing.map(({ why }) => why).join()}. Set VALKEY_URL to one`);
  process.exitCode = 1;
});
