import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { outOfBand } from './console.ts';

it('the out-of-band command kills every marked process, also one that forks, and nothing else', async () => {
  const mark = `AGENT_KILLSWITCH_TEST_${process.pid}`;
  const stubborn = "trap '' TERM INT HUP; while :; do (setsid sleep 60 &) ; sleep 0.2; done";
  const env = { ...process.env, [mark]: 'a' };
  const marked = [1, 2].map(() => spawn('sh', ['-c', stubborn], { env, stdio: 'ignore' }));
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { status } = spawnSync('sh', ['-c', outOfBand(mark)], { stdio: 'ignore', timeout: 10_000 });
    expect(status).not.toBeNull();
    await Promise.all(marked.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    const left = spawnSync('sh', ['-c', `grep -sla '${mark}=' /proc/[0-9]*/environ`], { encoding: 'utf8' });
    expect(left.stdout).toBe('');
    expect(other.exitCode ?? other.signalCode).toBeNull();
  } finally {
    for (const child of [...marked, other]) child.kill('SIGKILL');
  }
});
