import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '@agent-killswitch/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contents, never, put, Site } from './support/site.ts';

const child = new URL('removing-child.ts', import.meta.url).pathname;
let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.dispose());

async function crowd(count: number): Promise<{ agents: Agent[]; before: Map<string, unknown> }> {
  const agents: Agent[] = [];
  const before = new Map<string, unknown>();
  for (let i = 0; i < count; i++) {
    const { agent, path } = await site.worktree(`agent-${i}`);
    put(path, { 'a.txt': `changed ${i}\n`, 'new.txt': `new ${i}\n` });
    agents.push(agent);
    before.set(agent.agentId, contents(path));
  }
  return { agents, before };
}

function allAreSalvaged(before: ReadonlyMap<string, unknown>): void {
  expect(site.registered()).toEqual([]);
  // An entry without a tree holds nothing, and stays a minute: a removal of another service may be about to fill it.
  const isEmpty = (left: string) =>
    left.startsWith('aside/') && !existsSync(join(site.root, '.agent-killswitch', left, 'tree'));
  expect(site.leftovers().filter((left) => !isEmpty(left))).toEqual([]);
  const names = [...before.keys()];
  for (const agentId of names) expect(site.hasSalvage(agentId)).toBe(true);
  for (const agentId of names.slice(0, 3)) expect(site.restored(agentId)).toEqual(before.get(agentId));
  site.git('fsck', '--strict', '--full', '--no-dangling');
}

describe('worktrees of one repository', () => {
  it('50 are removed at once, and each is salvaged', async () => {
    const { agents, before } = await crowd(50);
    const removal = site.removal();
    await Promise.all(agents.map((agent) => removal.run(agent, { signal: never })));
    expect(agents.filter(({ agentId }) => existsSync(join(site.root, agentId)))).toEqual([]);
    expect(site.registered()).toEqual([]);
    await removal.idle();
    expect(site.problems).toEqual([]);
    expect(site.salvages).toHaveLength(50);
    allAreSalvaged(before);
  }, 120_000);

  it('are removed by two services at once, which may disturb each other, and each is salvaged', async () => {
    const { agents, before } = await crowd(8);
    const records = join(site.folder, 'agents.json');
    writeFileSync(records, JSON.stringify(agents));
    const flags = ['--conditions=agent-killswitch-source', '--disable-warning=ExperimentalWarning'];
    const services = [0, 1].map(() =>
      spawn(process.execPath, [...flags, child, site.root, records], { stdio: ['pipe', 'pipe', 'ignore'] }),
    );
    const ended = services.map((service) => once(service, 'close'));
    await Promise.all(services.map(({ stdout }) => once(stdout, 'data')));
    for (const { stdin } of services) stdin.write('go\n');
    expect((await Promise.all(ended)).map(([code]) => code)).toEqual([0, 0]);
    await site.removal().sweep();
    expect(site.problems).toEqual([]);
    allAreSalvaged(before);
  }, 120_000);
});
