import {
  type AccessRequest,
  type Agent,
  type AuditRecord,
  chain,
  transition as coreTransition,
  createKillswitch,
  type Principal,
  rolePolicy,
} from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { createMongoAbility, subject } from '@casl/ability';
import { createActor, createMachine, transition as xstateTransition } from 'xstate';
import { compare, median } from './compare.ts';
import type { Report } from './report.ts';
import { collectGarbage } from './support/collect-garbage.ts';

const agents = 100_000;
const rounds = 5;
const superAdmin: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };

/** What the core itself costs: a kill-all in memory, what it keeps per agent, a policy decision, a transition. */
export default async function bench(report: Report): Promise<void> {
  report({ metric: 'core.memory', value: await bytesPerAgent(), unit: 'B', limit: 2_048, n: agents });
  const times: number[] = [];
  const hashing: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { killMs, hashMs } = await killAll();
    times.push(killMs);
    hashing.push(hashMs);
  }
  report({
    metric: 'core.kill-all',
    value: median(times),
    unit: 'ms',
    baseline: median(hashing),
    limit: 3,
    n: agents,
  });
  benchPolicy(report);
  benchTransition(report);
}

async function populated() {
  const audit = memoryAudit();
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'bench',
    state: memoryState(),
    audit,
    runtimes: { memory: runtime },
    deadlines: { forceAfter: 60_000, confirmWithin: 120_000, state: 50_000 },
  });
  await ks.start();
  for (let i = 0; i < agents; i++) {
    const agentId = `agent-${i}`;
    const taskId = `task-${i % 1_000}`;
    await ks.admit({
      agentId,
      taskId,
      workspaceId: `workspace-${i % 10}`,
      ownerId: `owner-${i % 10}`,
      sessionIds: [`session-${i}`],
    });
    await ks.running(agentId, [runtime.spawn()]);
  }
  return { ks, audit };
}

/** From the call to the settled order, policy decision and chained audit included, against chaining the same events alone. */
async function killAll(): Promise<{ killMs: number; hashMs: number }> {
  const { ks, audit } = await populated();
  collectGarbage();
  const since = performance.now();
  const result = await ks.kill({ everything: true }, { principal: superAdmin, reason: 'bench' });
  // The sink in memory works hashes out when somebody asks for them.
  await audit.heads();
  const killMs = performance.now() - since;
  if (result.killed !== agents || !result.settled) throw new Error(`Killed ${result.killed} of ${agents}`);
  await ks.close();
  const events = audit.events();
  collectGarbage();
  const sinceHash = performance.now();
  let last: AuditRecord | undefined;
  for (const event of events) last = chain(last, 'bench', event);
  return { killMs, hashMs: performance.now() - sinceHash };
}

async function bytesPerAgent(): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const kept = await populated();
  collectGarbage();
  const bytes = (process.memoryUsage().heapUsed - before) / agents;
  await kept.ks.close();
  return bytes;
}

function benchPolicy(report: Report): void {
  const n = 200_000;
  const policy = rolePolicy();
  const principal: Principal = { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId: 'w' }] };
  const requests: AccessRequest[] = [
    { principal, action: 'kill', scope: { task: 't' }, workspaceId: 'w', ownerId: 'mia' },
    { principal, action: 'kill', scope: { task: 't' }, workspaceId: 'w', ownerId: 'nia' },
    { principal, action: 'kill', scope: { workspace: 'w' }, workspaceId: 'w' },
  ];
  // The same rules for the same principal in CASL, built once.
  const ability = createMongoAbility([
    {
      action: ['kill', 'read'],
      subject: ['agent', 'task'],
      conditions: { workspaceId: 'w', ownerId: 'mia' },
    },
    { action: 'admit', subject: 'workspace', conditions: { workspaceId: 'w' } },
  ]);
  const subjects = [
    { action: 'kill', target: subject('task', { workspaceId: 'w', ownerId: 'mia' }) },
    { action: 'kill', target: subject('task', { workspaceId: 'w', ownerId: 'nia' }) },
    { action: 'kill', target: subject('workspace', { workspaceId: 'w' }) },
  ];
  let allowed = 0;
  const ours = (): void => {
    for (let i = 0; i < n; i++) {
      const request = requests[i % 3];
      if (request !== undefined && policy.decide(request).effect === 'allow') allowed += 1;
    }
  };
  const casl = (): void => {
    for (let i = 0; i < n; i++) {
      const request = subjects[i % 3];
      if (request !== undefined && ability.can(request.action, request.target)) allowed -= 1;
    }
  };
  const { subjectMs, baselineMs } = compare(rounds, ours, casl);
  if (allowed !== 0) throw new Error('The two policies do not decide the same');
  report({ metric: 'core.policy', value: subjectMs, unit: 'ms', baseline: baselineMs, limit: 1, n });
}

function benchTransition(report: Report): void {
  const n = 200_000;
  const spawning: Agent = {
    agentId: 'a',
    taskId: 't',
    sessionIds: [],
    workspaceId: 'w',
    ownerId: 'o',
    backendId: 'b',
    lineage: [],
    hostId: 'h',
    revision: 0,
    handles: [],
    resources: [],
    ledger: [],
    spawnedAt: 1,
    status: 'spawning',
  };
  const handles = [{ runtime: 'memory', id: 1 }];
  const machine = createMachine({
    initial: 'spawning',
    states: {
      spawning: { on: { running: 'running', claim: 'killing', completed: 'completed', failed: 'failed' } },
      running: { on: { claim: 'killing', completed: 'completed', failed: 'failed' } },
      killing: { on: { confirmed: 'killed' } },
      killed: { type: 'final' },
      completed: { type: 'final' },
      failed: { type: 'final' },
    },
  });
  const start = createActor(machine).getSnapshot();
  const ours = (): void => {
    for (let i = 0; i < n; i++) {
      const [running] = coreTransition(spawning, { type: 'running', at: 2, handles });
      coreTransition(running, { type: 'claim', at: 3, orderId: 'o' });
    }
  };
  const theirs = (): void => {
    for (let i = 0; i < n; i++) {
      const [running] = xstateTransition(machine, start, { type: 'running' });
      xstateTransition(machine, running, { type: 'claim' });
    }
  };
  const { subjectMs, baselineMs } = compare(rounds, ours, theirs);
  report({
    metric: 'core.transition',
    value: subjectMs,
    unit: 'ms',
    baseline: baselineMs,
    limit: 1,
    n: n * 2,
  });
}
