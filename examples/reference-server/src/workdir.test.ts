import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CleanupStepFactory, cleanupStepClauses } from '@agent-killswitch/conformance';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeWorkdir, workdirRemoval } from './workdir.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'workdir-'));
});
afterEach(() => rm(root, { recursive: true }));

const factory: CleanupStepFactory = {
  open: async () => workdirRemoval(root),
  async leave({ agentId }) {
    const path = await makeWorkdir(root, agentId, { task: 'clean me up' });
    await mkdir(join(path, 'deep', 'er'), { recursive: true });
    await writeFile(join(path, 'deep', 'er', 'file'), 'x');
    const isGone = () =>
      access(path).then(
        () => false,
        () => true,
      );
    return { resources: [{ kind: 'workdir', path }], isGone };
  },
};

describe('workdirRemoval keeps every promise of a cleanup step', () => {
  for (const clause of cleanupStepClauses) it(clause.name, () => clause.run(factory));
});

it('removes by the id and never by what the record says of the path', async () => {
  const elsewhere = join(root, 'precious');
  await mkdir(elsewhere);
  const agent = { agentId: 'a', resources: [{ kind: 'workdir', path: elsewhere }] };
  await workdirRemoval(root).run(agent as never, { signal: AbortSignal.timeout(5_000) });
  expect(await readdir(root)).toEqual(['precious']);
});
