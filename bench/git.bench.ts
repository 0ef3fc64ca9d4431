import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createWorktree,
  type WorktreeRemoval,
  worktreeRemoval,
  worktreeResource,
} from '@agent-killswitch/adapter-git';
import { createKillswitch, type Killswitch } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { median } from './compare.ts';
import type { Report } from './report.ts';

const files = 20_000;
const rounds = 3;
const principal = { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId: 'w' }] } as const;

/**
 * What a worktree of 20,000 files, 2,000 of them changed and 500 new, adds to a kill from its call to the settled order;
 * and what a kill of another agent takes while that worktree is salvaged and deleted. Beside it, git's own removal.
 */
export default async function bench(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'killswitch-bench-git-'));
  try {
    const site = await openSite(folder);
    const delays: number[] = [];
    const beside: number[] = [];
    const ours: number[] = [];
    const gits: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const plainMs = await site.kill(await site.agent(`plain-${round}`, false));
      const withTreeMs = await site.kill(await site.agent(`tree-${round}`, true));
      // Salvage and deletion are under way now.
      for (let i = 0; i < 5; i++) {
        const otherMs = await site.kill(await site.agent(`beside-${round}-${i}`, false));
        beside.push(otherMs - plainMs);
      }
      await site.removal.idle();
      delays.push(withTreeMs - plainMs);
      ours.push(withTreeMs);
      gits.push(await site.removeByGit(`git-${round}`));
    }
    await site.close();
    report({ metric: 'git.delay', value: median(delays), unit: 'ms', limit: 50, n: files });
    report({ metric: 'git.delay.worst', value: Math.max(...delays), unit: 'ms', n: files });
    report({ metric: 'git.delay.others', value: median(beside), unit: 'ms', limit: 50, n: beside.length });
    report({
      metric: 'git.kill',
      value: median(ours),
      unit: 'ms',
      baseline: median(gits),
      limit: 1,
      n: files,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Site {
  readonly removal: WorktreeRemoval;
  agent(agentId: string, withTree: boolean): Promise<string>;
  kill(agentId: string): Promise<number>;
  removeByGit(agentId: string): Promise<number>;
  close(): Promise<void>;
}

async function openSite(folder: string): Promise<Site> {
  const repository = makeRepository(folder);
  const root = join(folder, 'worktrees');
  const problems: Error[] = [];
  const removal = worktreeRemoval({ root, onProblem: (error) => problems.push(error) });
  const runtime = memoryRuntime();
  const ks: Killswitch = createKillswitch({
    hostId: 'bench',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
    cleanup: [removal],
  });
  await ks.start();
  const admit = async (agentId: string, withTree: boolean): Promise<string> => {
    const resources = withTree ? [await worktreeResource({ root, agentId, repository })] : [];
    const agent = await ks.admit({ agentId, taskId: agentId, workspaceId: 'w', ownerId: 'mia', resources });
    if (withTree) spoil((await createWorktree({ root, agent })).path);
    await ks.running(agentId, [runtime.spawn()]);
    return agentId;
  };
  return {
    removal,
    agent: admit,
    async kill(agentId) {
      const since = performance.now();
      const { settled, killed } = await ks.kill({ task: agentId }, { principal, reason: 'bench' });
      const ms = performance.now() - since;
      const { ledger } = await ks.agent(agentId);
      if (!settled || killed !== 1 || ledger.some(({ status }) => status !== 'done'))
        throw new Error(`The kill of ${agentId} did not settle with its worktree removed`);
      return ms;
    },
    async removeByGit(agentId) {
      const path = join(folder, agentId);
      git(repository, 'worktree', 'add', '-q', '--detach', path);
      spoil(path);
      const since = performance.now();
      git(repository, 'worktree', 'remove', '--force', path);
      return performance.now() - since;
    },
    async close() {
      await ks.close();
      const refs = git(repository, 'for-each-ref', 'refs/killswitch/salvage').trim().split('\n').length;
      if (problems.length > 0 || refs !== rounds)
        throw new Error(`${refs} of ${rounds} worktrees were salvaged; ${problems[0]?.message}`);
    },
  };
}

function makeRepository(folder: string): string {
  const repository = join(folder, 'repository');
  mkdirSync(repository);
  git(repository, 'init', '-q');
  for (let i = 0; i < files; i++) {
    const place = join(repository, `d${i % 200}`);
    if (i < 200) mkdirSync(place);
    writeFileSync(join(place, `f${i}.txt`), `file ${i}\n`.repeat(20));
  }
  git(repository, 'add', '-A');
  git(repository, '-c', 'user.name=b', '-c', 'user.email=b@localhost', 'commit', '-qm', 'files');
  return repository;
}

/** 2,000 changed and 500 new files. */
function spoil(path: string): void {
  for (let i = 0; i < 2_000; i++) writeFileSync(join(path, `d${i % 200}`, `f${i}.txt`), `changed ${i}\n`);
  for (let i = 0; i < 500; i++) writeFileSync(join(path, `new-${i}.txt`), `new ${i}\n`);
}

function git(folder: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
}
