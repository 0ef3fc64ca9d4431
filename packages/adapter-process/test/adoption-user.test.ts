import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { fixture, isAlive, TestRun } from './support/processes.ts';
import { Corner, end } from './support/unmarked.ts';

const run = new TestRun();
const corner = new Corner();
afterEach(() => run.end());
afterAll(() => corner.close());

const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
/** Other users' processes, init among them, are not to be seen in its `/proc`. */
const hidden = ['unshare', '--mount', 'sh', '-c', 'mount -t proc -o hidepid=2 none /proc && exec "$@"', '-'];

/** A host of another user, told what to do by lines on its standard input. */
function host(pid: number, ...prefix: readonly string[]) {
  const file = fixture('adopter.ts');
  const node = [process.execPath, '--conditions=agent-killswitch-source', file, String(pid)];
  const child = spawn('env', [...prefix, ...nobody, ...node], {
    env: run.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse(String((await lines.next()).value));
  return {
    handle: next(),
    async kill() {
      child.stdin.write('kill\n');
      return next();
    },
  };
}

const isAble = process.geteuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
if (!isAble) console.warn('SKIPPED: adoption by another user: this takes root, with the right to mount');

describe.runIf(isAble)('a host that may make no cgroups', () => {
  it.each([
    ['sees who gets the orphans', [], expect.arrayContaining([expect.objectContaining({ pid: 1 })])],
    ['does not, since /proc is hidden from its user', hidden, undefined],
  ])(
    'and %s does not call an adopted process dead while what it lost lives (I3)',
    async (_, prefix, reapers) => {
      const agent = await corner.start(run, { as: nobody });
      const adopter = host(agent.pid, ...prefix);
      const handle = await adopter.handle;
      expect(handle.cgroup).toBeUndefined();
      expect(handle.orphans.reapers).toEqual(reapers);
      const lost = await agent.ask('lost');
      const seen = await adopter.kill();
      expect(seen).toMatchObject({ refused: 'uncertain-victim', state: 'unknown' });
      expect(seen.evidence).toContain(`pid ${lost} (an orphan`);
      expect([agent.pid, lost].map(isAlive)).toEqual([false, true]);
      await end(lost);
      expect(await adopter.kill()).toMatchObject({ state: 'dead' });
    },
  );
});
