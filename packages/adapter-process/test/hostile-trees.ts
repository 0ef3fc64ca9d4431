import { type ChildProcess, spawn } from 'node:child_process';
import { processRuntime } from '../src/index.ts';
import { stop } from './support/harness.ts';
import { fixture, isAlive, TestRun } from './support/processes.ts';

export interface HostileReport {
  readonly rounds: number;
  /** Processes that were alive when their kill began. */
  readonly processes: number;
  readonly scans: number;
  /** From the call of `kill` to the observation of death, in milliseconds. */
  readonly slowestMs: number;
  /** What went wrong, one line a round. Empty is the promise. */
  readonly failures: readonly string[];
}

/**
 * Grows trees that fork, found sessions, orphan themselves, exec, stop and ignore signals, kills each at a random moment of
 * its growth, and checks with its own eyes that nothing of it lives when it is called dead, while a bystander does.
 * @param seed the same seed gives the same trees and moments
 */
export async function hostileTrees(rounds: number, seed: number): Promise<HostileReport> {
  const random = randomFrom(seed);
  // By mark alone, which is the harder way, and in cgroups where the machine has them.
  const seers = [processRuntime({ cgroup: 'off' }), processRuntime()] as const;
  const failures: string[] = [];
  let [processes, slowestMs, scans] = [0, 0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const run = new TestRun();
    const seer = seers[round % 2 === 0 ? 0 : 1];
    const bystander = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    try {
      // Not from the seed: the same campaign may run twice on a machine at the same time.
      const agentId = `hostile-${run.id}`;
      const letters = plan(random);
      const { handle, child } = await seer.spawnAgent('sh', [fixture('tree.sh'), ...letters], {
        agentId,
        env: run.env,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      await linesBefore(child, 1 + random(letters.length * 2));
      // Half of the kills come from a runtime that knows nothing but the handle.
      const runtime = random(2) === 0 ? seer : processRuntime();
      processes += run.alive().length;
      const begun = performance.now();
      const seen = await stop(runtime, agentId, handle);
      slowestMs = Math.max(slowestMs, performance.now() - begun);
      const left = run.alive();
      const where = `seed ${seed} round ${round} (${letters.join('')})`;
      if (seen.state !== 'dead') failures.push(`${where}: ${seen.state}, ${seen.evidence}`);
      if (left.length > 0) failures.push(`${where}: pid ${left.join(', ')} alive, but "${seen.evidence}"`);
      if (!isAlive(bystander.pid ?? 0)) failures.push(`${where}: the bystander is dead`);
      if (runtime !== seer) scans += runtime.scans;
    } catch (thrown) {
      failures.push(`seed ${seed} round ${round}: ${thrown}`);
    } finally {
      bystander.kill('SIGKILL');
      run.end();
    }
  }
  return { rounds, processes, scans: scans + seers[0].scans + seers[1].scans, slowestMs, failures };
}

/** Up to seven generations, at most 2³ branches. Once the mark is wiped (`e`), nothing leaves the tree: that escapes. */
function plan(random: (below: number) => number): string[] {
  const letters: string[] = [];
  for (let length = 1 + random(7); length > 0; length -= 1) {
    const bare = letters.includes('e');
    const branches = letters.filter((letter) => letter === 'b').length;
    const choice = [...(bare ? 'ftpx' : 'fsdtpxe'), ...(branches < 3 ? 'b' : '')];
    letters.push(choice[random(choice.length)] ?? 'f');
  }
  return letters;
}

/** Waits for so many lines of output, or for the end of it. */
function linesBefore(child: ChildProcess, count: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const enough = setTimeout(resolve, 100);
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1').split('\n').length - 1;
      if (seen < count) return;
      clearTimeout(enough);
      resolve();
    });
  });
}

/** Whole numbers from 0 to below `below`: mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
