import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '@agent-killswitch/core';
import { salvageRef } from '../src/index.ts';
import { contents, gitIn, never, put, Site } from './support/site.ts';

const child = new URL('removing-child.ts', import.meta.url).pathname;
/** A removal with its salvages takes about this long here. */
const spreadMs = 1_000;
const startMs = 12;

/** Chance, at least 0 and below 1. */
export type Chance = () => number;

export interface CrashTally {
  readonly violations: string[];
  /** Crashes at all; before a worktree was moved; with one moved and not salvaged; with one salvaged and not deleted. */
  readonly crashes: {
    crashes: number;
    'before the move': number;
    'before the salvage': number;
    'before the deletion': number;
  };
}

/** One round: worktrees in several states, up to three services that are killed while they remove them, and one that is not. */
export async function crashRound(label: string, chance: Chance, tally: CrashTally): Promise<void> {
  const site = new Site();
  try {
    const other = bystander(site);
    const agents: Agent[] = [];
    const expected = new Map<string, Record<string, string>>();
    for (const [agentId, spoil] of Object.entries(states)) {
      const { agent, path } = await site.worktree(agentId);
      spoil(path, site);
      agents.push(agent);
      if (existsSync(path)) expected.set(agentId, contents(path));
    }
    const before = other.seen();
    const records = join(site.folder, 'agents.json');
    writeFileSync(records, JSON.stringify(agents));
    for (let lives = 1 + Math.floor(chance() * 3); lives > 0; lives--) {
      // Half of them at the very start, where the moves are.
      await crash(site, records, chance() * (chance() < 0.5 ? startMs : spreadMs));
      count(site, agents, tally);
    }
    const removal = site.removal();
    await Promise.all(agents.map((agent) => removal.run(agent, { signal: never })));
    await removal.sweep();
    const broken = (what: string): number => tally.violations.push(`${label}: ${what}`);
    for (const problem of site.problems) broken(problem.message);
    check(site, expected, broken);
    if (JSON.stringify(other.seen()) !== JSON.stringify(before)) broken('something outside has changed');
  } finally {
    await site.dispose();
  }
}

/** What agents leave behind. */
const states: Readonly<Record<string, (path: string, site: Site) => void>> = {
  clean: () => {},
  dirty: (path) => {
    put(path, {
      'a.txt': 'changed\n',
      ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`many/f${i}`, `${i}`])),
    });
  },
  committed: (path) => {
    put(path, { 'a.txt': 'committed\n' });
    gitIn(path, 'commit', '-qam', 'on no branch');
  },
  missing: (path) => rmSync(path, { recursive: true }),
  forged: (path) => {
    put(path, { 'new.txt': 'new\n' });
    writeFileSync(join(path, '.git'), 'gitdir: /nonexistent\n');
  },
};

function bystander(site: Site): { seen(): unknown } {
  const outside = join(site.folder, 'outside');
  mkdirSync(outside);
  gitIn(outside, 'init', '-q');
  put(outside, { 'keep.txt': 'keep\n' });
  site.git('worktree', 'add', '-q', '--detach', join(site.folder, 'users'));
  return {
    seen: () => [contents(outside), contents(join(outside, '.git')), contents(join(site.folder, 'users'))],
  };
}

async function crash(site: Site, records: string, afterMs: number): Promise<void> {
  const service: ChildProcess = spawn(
    process.execPath,
    [
      '--conditions=agent-killswitch-source',
      '--disable-warning=ExperimentalWarning',
      child,
      site.root,
      records,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const closed = once(service, 'close');
  try {
    await Promise.race([once(service.stdout as NodeJS.ReadableStream, 'data'), closed]);
    service.stdin?.write('go\n');
    await Promise.race([new Promise((resolve) => setTimeout(resolve, afterMs)), closed]);
  } finally {
    service.kill('SIGKILL');
    await closed;
  }
}

function count(site: Site, agents: readonly Agent[], { crashes }: CrashTally): void {
  const house = join(site.root, '.agent-killswitch');
  const entries = existsSync(join(house, 'aside')) ? readdirSync(join(house, 'aside')) : [];
  crashes.crashes += 1;
  if (agents.some(({ agentId }) => existsSync(join(site.root, agentId)))) crashes['before the move'] += 1;
  if (entries.some((name) => existsSync(join(house, 'aside', name, 'tree'))))
    crashes['before the salvage'] += 1;
  if (existsSync(join(house, 'trash')) && readdirSync(join(house, 'trash')).length > 0)
    crashes['before the deletion'] += 1;
}

function check(
  site: Site,
  expected: ReadonlyMap<string, Record<string, string>>,
  broken: (what: string) => void,
): void {
  const left = site.leftovers();
  if (left.length > 0) broken(`left behind: ${left.join(', ')}`);
  const registered = site.registered();
  if (registered.length !== 1) broken(`registered: ${registered.join(', ')}`);
  const refs = site.git('for-each-ref', '--format=%(refname)', 'refs/killswitch').trim().split('\n').sort();
  const wanted = ['committed', 'dirty', 'forged'].map((agentId) => salvageRef(agentId));
  if (refs.join() !== wanted.join()) broken(`salvages are ${refs.join(', ')}`);
  for (const agentId of ['committed', 'dirty', 'forged']) {
    if (
      site.hasSalvage(agentId) &&
      JSON.stringify(sorted(site.restored(agentId))) !== JSON.stringify(sorted(expected.get(agentId)))
    )
      broken(`the salvage of ${agentId} is not what it left`);
  }
  try {
    site.git('fsck', '--strict', '--full', '--no-dangling');
  } catch (error) {
    broken(`the repository is damaged: ${error}`);
  }
}

function sorted(files: Record<string, string> = {}): Array<[string, string]> {
  return Object.entries(files).sort();
}
