import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createKillswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { webhooks } from '@agent-killswitch/webhooks';
import { median } from './compare.ts';
import type { Report } from './report.ts';

const kills = 1_000;
const agentsAtOnce = 500;
const rounds = 7;
/** Between kills, so that deliveries run beside them and not only after them. */
const pauseMs = 1;
const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/**
 * How much longer kills take while three webhook endpoints hang, refuse and flood than with none: the 99th percentile of
 * kills one by one, and one kill of many agents. Rounds with and without take turns.
 */
export default async function bench(report: Report): Promise<void> {
  const receivers = fork(new URL('support/rude-receivers.ts', import.meta.url));
  const [ports] = (await once(receivers, 'message')) as [number[]];
  const urls = ports.map((port) => `http://127.0.0.1:${port}/`);
  const [without, rude]: [Round[], Round[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    const [none, hooked] = [await play([]), await play(urls)];
    // The first of each warms up.
    if (round > 0) {
      without.push(none);
      rude.push(hooked);
    }
  }
  receivers.kill('SIGKILL');
  const added = (figure: keyof Round): number[] =>
    rude.map((each, n) => each[figure] - (without[n]?.[figure] ?? 0));
  const n = kills * rounds;
  report({
    metric: 'webhooks.kill-p99.none',
    value: median(without.map(({ p99Ms }) => p99Ms)),
    unit: 'ms',
    n,
  });
  report({ metric: 'webhooks.kill-p99.rude', value: median(rude.map(({ p99Ms }) => p99Ms)), unit: 'ms', n });
  report({ metric: 'webhooks.kill-p99.added', value: median(added('p99Ms')), unit: 'ms', limit: 5, n });
  // What this process itself does meanwhile: the same on a busy machine.
  report({
    metric: 'webhooks.kill-p99.added-cpu',
    value: median(added('p99CpuMs')),
    unit: 'ms',
    limit: 5,
    n,
  });
  report({
    metric: 'webhooks.kill-500.none',
    value: median(without.map(({ manyMs }) => manyMs)),
    unit: 'ms',
    n: rounds,
  });
  report({ metric: 'webhooks.kill-500.added', value: median(added('manyMs')), unit: 'ms', n: rounds });
}

interface Round {
  readonly p99Ms: number;
  /** Of the time that the main thread worked during a kill. */
  readonly p99CpuMs: number;
  /** One kill of many agents, to the last death. */
  readonly manyMs: number;
}

async function play(urls: readonly string[]): Promise<Round> {
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'bench',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
  });
  const hooks =
    urls.length === 0
      ? undefined
      : webhooks(ks, {
          endpoints: urls.map((url, n) => ({
            url,
            name: `receiver-${n}`,
            secrets: [secret],
            networks: ['127.0.0.1'],
          })),
          onTrouble: () => undefined,
        });
  await ks.start();
  const admit = async (agentId: string, taskId: string): Promise<void> => {
    await ks.admit({ agentId, taskId, workspaceId: 'w', ownerId: 'o' });
    await ks.running(agentId, [runtime.spawn()]);
  };
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let n = 0; n < kills; n += 1) {
    await admit(`one-${n}`, `task-${n}`);
    const sinceCpu = process.threadCpuUsage();
    const since = performance.now();
    const { killed } = await ks.kill({ task: `task-${n}` }, { principal: root, reason: 'bench' });
    times.push(performance.now() - since);
    const { user, system } = process.threadCpuUsage(sinceCpu);
    cpuTimes.push((user + system) / 1_000);
    if (killed !== 1) throw new Error(`Killed ${killed} of 1`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  for (let n = 0; n < agentsAtOnce; n += 1) await admit(`many-${n}`, 'many');
  const since = performance.now();
  const { killed } = await ks.kill({ task: 'many' }, { principal: root, reason: 'bench' });
  const manyMs = performance.now() - since;
  if (killed !== agentsAtOnce) throw new Error(`Killed ${killed} of ${agentsAtOnce}`);
  await hooks?.close(0);
  await ks.close();
  return { p99Ms: p99(times), p99CpuMs: p99(cpuTimes), manyMs };
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
}
