import { spawn } from 'node:child_process';
import type { Observation } from '@agent-killswitch/core';
import { processRuntime } from '../src/index.ts';
import { planOf } from './hostile-plans.ts';
import { stop } from './support/harness.ts';
import { startHostile } from './support/hostile-agent.ts';
import { isAlive, stateOf, TestRun } from './support/processes.ts';
import { Corner } from './support/unmarked.ts';

export interface HostileReport {
  readonly rounds: number;
  /** Processes that were alive when their kill began. */
  readonly processes: number;
  /** How often hostile agents did what: forked on, re-executed, founded sessions, … */
  readonly deeds: Readonly<Record<string, number>>;
  readonly scans: number;
  /** From the call of `kill` to the observation of death, in milliseconds. */
  readonly slowestMs: number;
  /** What went wrong, one line a round. Empty is the promise. */
  readonly failures: readonly string[];
}

/**
 * Grows trees that fork, found sessions, orphan themselves, exec, stop and ignore signals, or are held as zombies, kills each at a random moment of
 * its growth, and checks with its own eyes that nothing of it lives when it is called dead, while a bystander does. Of a tree that
 * was adopted without a mark something may be left where no cgroup held it from its start: then it is not called dead, and one
 * that is left is named.
 * @param seed the same seed gives the same trees and moments
 */
export async function hostileTrees(rounds: number, seed: number): Promise<HostileReport> {
  const random = randomFrom(seed);
  // By mark alone, which is the harder way, and in cgroups where the machine has them.
  const seers = [processRuntime({ cgroup: 'off' }), processRuntime()] as const;
  const corner = new Corner();
  const failures: string[] = [];
  const deeds: Record<string, number> = {};
  let [processes, slowestMs, scans] = [0, 0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const run = new TestRun();
    const seer = seers[round % 2 === 0 ? 0 : 1];
    const bystander = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    try {
      // Not from the seed: the same campaign may run twice on a machine at the same time.
      const agentId = `hostile-${run.id}`;
      const plan = planOf(round, random);
      const { handle, bystanders } = await startHostile(plan, seer, agentId, run, corner);
      for (const [deed, times] of Object.entries(plan.deeds)) deeds[deed] = (deeds[deed] ?? 0) + times;
      // Half of the kills come from a runtime that knows nothing but the handle.
      const runtime = random(2) === 0 ? seer : processRuntime();
      processes += run.alive().length;
      const begun = performance.now();
      const survivors = (): number[] => run.alive().filter((pid) => !bystanders.includes(pid));
      // Who adopts a tree that carries no mark cannot know all of it, unless a cgroup holds it from its start.
      const doubts = handle.orphans !== undefined;
      let seen = await stop(runtime, agentId, handle, (said) => doubts && namesOne(said, survivors()));
      slowestMs = Math.max(slowestMs, performance.now() - begun);
      if (seen.state === 'unknown' && namesOne(seen, survivors())) {
        deeds.leftAndNamed = (deeds.leftAndNamed ?? 0) + 1;
        run.end(bystanders);
        seen = await stop(runtime, agentId, handle);
      }
      const left = survivors();
      const where = `seed ${seed} round ${round} (${plan.name})`;
      if (seen.state !== 'dead') failures.push(`${where}: ${seen.state}, ${seen.evidence}`);
      if (left.length > 0) failures.push(`${where}: pid ${left.join(', ')} alive, but "${seen.evidence}"`);
      for (const pid of [bystander.pid ?? 0, ...bystanders])
        if (!isAlive(pid)) failures.push(`${where}: the bystander ${pid} is dead`);
      if (bystanders.length > 0 && stateOf(handle.pid) !== 'Z')
        failures.push(`${where}: pid ${handle.pid} is not held as a zombie`);
      if (runtime !== seer) scans += runtime.scans;
    } catch (thrown) {
      failures.push(`seed ${seed} round ${round}: ${thrown}`);
    } finally {
      bystander.kill('SIGKILL');
      run.end();
    }
  }
  corner.close();
  return { rounds, processes, deeds, scans: scans + seers[0].scans + seers[1].scans, slowestMs, failures };
}

/** Whether it is not called dead because of somebody who is alive. */
function namesOne({ state, evidence }: Observation, alive: readonly number[]): boolean {
  return state === 'unknown' && alive.some((pid) => new RegExp(`pid ${pid} \\(`).test(evidence));
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
