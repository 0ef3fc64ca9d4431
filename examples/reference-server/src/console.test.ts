import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { configOf } from './config.ts';
import { consoleOptions, outOfBand } from './console.ts';

/** Says `ready` once it ignores what can be ignored; then forks for ever, away from its parent. */
const stubborn =
  "trap '' TERM INT HUP; echo ready; while :; do (setsid sleep 60 >/dev/null &) ; sleep 0.2; done";

it('the out-of-band command kills every marked process, also one that forks, and nothing else', async () => {
  const mark = `AGENT_KILLSWITCH_TEST_${process.pid}`;
  const env = { ...process.env, [mark]: 'a' };
  const marked = [1, 2].map(() =>
    spawn('sh', ['-c', stubborn], { env, stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  const other = spawn('sh', ['-c', 'echo ready; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await Promise.all([...marked, other].map(isReady));
    const ends = marked.map((child) => once(child, 'exit'));
    const { status } = spawnSync('sh', ['-c', outOfBand(mark)], { stdio: 'ignore', timeout: 10_000 });
    expect(status).not.toBeNull();
    expect((await Promise.all(ends)).map(([, signal]) => signal)).toEqual(['SIGKILL', 'SIGKILL']);
    const left = spawnSync('sh', ['-c', `grep -sla '${mark}=' /proc/[0-9]*/environ`], { encoding: 'utf8' });
    expect(left.stdout).toBe('');
    expect(other.exitCode ?? other.signalCode).toBeNull();
  } finally {
    for (const child of [...marked, other]) child.kill('SIGKILL');
  }
});

it.each([
  [{}, 3],
  [{ SANDBOX_ENABLED: 'true' }, undefined],
  [{ VALKEY_PORT: '6379' }, undefined],
  [{ DATABASE_URL: 'postgres://localhost/x' }, undefined],
])(
  'rogue agents to try it with are offered only where everything is embedded: %j',
  (environment, offered) => {
    expect(consoleOptions(configOf(environment)).demo?.length).toBe(offered);
  },
);

async function isReady({ stdout }: ChildProcess): Promise<void> {
  if (stdout === null) throw new Error('nothing to hear');
  let said = '';
  for await (const chunk of stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes('ready')) return;
  }
  throw new Error(`ended after saying ${JSON.stringify(said)}`);
}
