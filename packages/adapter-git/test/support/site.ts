import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Agent, Resource } from '@agent-killswitch/core';
import {
  createWorktree,
  type Salvaged,
  salvageRef,
  type WorktreeRemoval,
  type WorktreeRemovalOptions,
  worktreeRemoval,
  worktreeResource,
} from '../../src/index.ts';

const identity = ['-c', 'user.name=agent', '-c', 'user.email=agent@localhost'];
export const never: AbortSignal = new AbortController().signal;

/** A folder of its own with a real repository and a root for worktrees. */
export class Site {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'killswitch-git-'));
  readonly repository: string = join(this.folder, 'repository');
  readonly root: string = join(this.folder, 'worktrees');
  readonly salvages: Salvaged[] = [];
  readonly problems: Error[] = [];
  readonly #removals: WorktreeRemoval[] = [];

  constructor(files: Readonly<Record<string, string | Buffer>> = { 'a.txt': 'one\n', 'b/c.txt': 'two\n' }) {
    mkdirSync(this.repository);
    this.git('init', '-q', '-b', 'main');
    put(this.repository, files);
    this.git('add', '-A');
    this.git('commit', '-q', '-m', 'first');
  }

  get gitDir(): string {
    return join(this.repository, '.git');
  }

  removal(options: Partial<WorktreeRemovalOptions> = {}): WorktreeRemoval {
    const removal = worktreeRemoval({
      root: this.root,
      onSalvage: (salvaged) => this.salvages.push(salvaged),
      onProblem: (error) => this.problems.push(error),
      ...options,
    });
    this.#removals.push(removal);
    return removal;
  }

  /** A dead agent whose worktree is still there. */
  async worktree(agentId = 'agent-1'): Promise<{ agent: Agent; path: string }> {
    const resource = await worktreeResource({ root: this.root, agentId, repository: this.repository });
    const agent = agentOf(agentId, [resource]);
    const { path } = await createWorktree({ root: this.root, agent });
    return { agent, path };
  }

  /** Removes it, and waits until all that follows is done. */
  async remove(agent: Agent, options: Partial<WorktreeRemovalOptions> = {}): Promise<void> {
    const removal = this.removal(options);
    await removal.run(agent, { signal: never });
    await removal.idle();
  }

  git(...args: string[]): string {
    return gitIn(this.repository, ...args);
  }

  /** The repository's worktrees besides itself, as git sees them. */
  registered(): string[] {
    return this.git('worktree', 'list', '--porcelain')
      .split('\n')
      .flatMap((line) => (line.startsWith('worktree ') ? [line.slice('worktree '.length)] : []))
      .slice(1);
  }

  /** What lies below the root and is no finished business. */
  leftovers(): string[] {
    const house = join(this.root, '.agent-killswitch');
    const inside = ['aside', 'trash', 'drafts', 'made'].flatMap((part) =>
      existsSync(join(house, part)) ? readdirSync(join(house, part)).map((name) => `${part}/${name}`) : [],
    );
    const registrations = join(this.gitDir, 'agent-killswitch');
    return [
      ...readdirSync(this.root).filter((name) => name !== '.agent-killswitch'),
      ...inside,
      ...(existsSync(registrations) ? readdirSync(registrations).map((name) => `registration/${name}`) : []),
    ];
  }

  hasSalvage(agentId = 'agent-1'): boolean {
    return (
      spawnSync('git', ['rev-parse', '-q', '--verify', salvageRef(agentId)], { cwd: this.repository })
        .status === 0
    );
  }

  /** A salvage, checked out by git elsewhere, as what it holds. */
  restored(agentId = 'agent-1', ref: string = salvageRef(agentId)): Record<string, string> {
    const place = mkdtempSync(join(this.folder, 'restored-'));
    this.git('worktree', 'add', '-q', '--detach', join(place, 'tree'), ref);
    try {
      return contents(join(place, 'tree'));
    } finally {
      this.git('worktree', 'remove', '--force', join(place, 'tree'));
    }
  }

  async dispose(): Promise<void> {
    for (const removal of this.#removals) await removal.close();
    spawnSync('chmod', ['-R', 'u+rwX', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function gitIn(folder: string, ...args: string[]): string {
  return execFileSync('git', [...identity, ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function put(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** Every file and link below a folder but git's own `.git`, with mode and a hash of the bytes, by path. */
export function contents(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: Buffer): void => {
    for (const entry of readdirSync(Buffer.concat([Buffer.from(`${folder}/`), path]), {
      withFileTypes: true,
      encoding: 'buffer',
    })) {
      const inner = Buffer.concat([path, ...(path.length === 0 ? [] : [Buffer.from('/')]), entry.name]);
      const place = Buffer.concat([Buffer.from(`${folder}/`), inner]);
      if (inner.toString() === '.git') continue;
      if (entry.isDirectory()) visit(inner);
      else if (entry.isSymbolicLink()) found[inner.toString('latin1')] = `link ${readlinkSync(place)}`;
      else if (entry.isFile()) {
        const hash = createHash('sha256').update(readFileSync(place)).digest('hex');
        found[inner.toString('latin1')] =
          `${(lstatSync(place).mode & 0o100) === 0 ? 'file' : 'program'} ${hash}`;
      } else found[inner.toString('latin1')] = 'special';
    }
  };
  visit(Buffer.alloc(0));
  return found;
}

/** A killed agent's record with these resources. */
export function agentOf(agentId: string, resources: Resource[]): Agent {
  return {
    agentId,
    taskId: 'task-1',
    sessionIds: [],
    workspaceId: 'w',
    ownerId: 'o',
    backendId: 'local',
    lineage: [],
    hostId: 'h',
    revision: 4,
    handles: [],
    resources,
    ledger: [{ step: 'worktree', status: 'pending', tries: 0 }],
    spawnedAt: 1_700_000_000_000,
    status: 'completed',
    completedAt: 1_700_000_001_000,
  };
}
