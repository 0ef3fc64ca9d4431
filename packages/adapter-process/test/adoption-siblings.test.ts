import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { processRuntime, UncertainVictimError } from '../src/index.ts';
import { id, inTime, settled, stop } from './support/harness.ts';
import { fixture, isAlive, TestRun } from './support/processes.ts';
import { Corner, canClone, end, sibling } from './support/unmarked.ts';

const run = new TestRun();
const corner = new Corner();
afterEach(() => run.end());
afterAll(() => corner.close());

if (!canClone) console.warn('SKIPPED: siblings of adopted processes: this takes perl, on x64 or arm64');

describe.runIf(canClone)(
  'an adopted process is not called dead while what it made its own sibling lives',
  () => {
    it.each(['off', 'auto'] as const)(
      'though this host is their parent, with cgroups %s (I3)',
      async (cgroup) => {
        const agentId = id(`sibling-${cgroup}`);
        const runtime = processRuntime({ cgroup });
        const agent = await corner.start(run, { script: sibling });
        const made = await agent.ask('');
        const handle = await runtime.adopt(agent.pid, { agentId });
        const kill = runtime.kill(handle, inTime(agentId));
        await expect(kill).rejects.toThrow(UncertainVictimError);
        await expect(kill).rejects.toThrow(`pid ${made} (`);
        expect(await runtime.inspect(handle, inTime(agentId))).toMatchObject({ state: 'unknown' });
        expect([agent.pid, made].map(isAlive)).toEqual([false, true]);
        await end(made);
        expect(await settled(runtime, agentId, handle)).toMatchObject({ state: 'dead' });
      },
    );

    it('though who started this host is their parent, who gets no orphans (I3)', async () => {
      const host = [process.execPath, '--conditions=agent-killswitch-source', fixture('adopter.ts')];
      const script = `${corner.enter}; sh -c "$AGENT" & read go; "$@" $!; exit`;
      const launcher = spawn('sh', ['-c', script, 'sh', ...host], {
        env: { ...run.env, AGENT: sibling },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: launcher.stdout })[Symbol.asyncIterator]();
      const next = async () => JSON.parse(String((await lines.next()).value));
      const [agent, made] = [await next(), await next()];
      launcher.stdin.write('go\n');
      expect(await next()).toMatchObject({ pid: agent });
      launcher.stdin.write('kill\n');
      const seen = await next();
      expect(seen).toMatchObject({ refused: 'uncertain-victim', state: 'unknown' });
      expect(seen.evidence).toContain(`pid ${made} (`);
      expect([agent, made].map(isAlive)).toEqual([false, true]);
      await end(made);
      launcher.stdin.write('kill\n');
      expect(await next()).toMatchObject({ state: 'dead' });
    });
  },
);

it('an adopted process is not doubted for what its host itself starts later', async () => {
  const runtime = processRuntime({ cgroup: 'off' });
  const agent = await corner.start(run);
  const handle = await runtime.adopt(agent.pid, { agentId: id('hosts') });
  const later = await corner.start(run);
  expect(await stop(runtime, id('hosts'), handle)).toMatchObject({ state: 'dead' });
  expect(isAlive(later.pid)).toBe(true);
});
