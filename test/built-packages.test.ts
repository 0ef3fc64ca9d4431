/** What users install: the built packages, imported through their published `exports`, away from this workspace. */
import { copyFile, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildAll } from '../scripts/building/build.ts';
import { packAll } from '../scripts/building/pack.ts';
import { must, run } from '../scripts/lib/run.ts';
import { exportedFiles, publicPackages, sourceCondition } from '../scripts/lib/workspace.ts';

const packages = publicPackages();
let consumer = '';

beforeAll(async () => {
  await buildAll();
  consumer = await mkdtemp(join(tmpdir(), 'killswitch-consumer-'));
  for (const { name, file } of await packAll(packages, join(consumer, 'tarballs'))) {
    const folder = join(consumer, 'node_modules', name);
    await mkdir(folder, { recursive: true });
    await must('tar', ['-xzf', file, '-C', folder, '--strip-components=1']);
  }
  for (const { folder, manifest } of packages) {
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      if (!dependency.startsWith('@agent-killswitch/')) await link(dependency, folder);
    }
  }
}, 300_000);

afterAll(() => rm(consumer, { recursive: true, force: true }));

describe.each(packages)('$manifest.name', ({ folder, manifest }) => {
  const entries = exportedFiles(manifest).filter(({ condition }) => condition === sourceCondition);

  test.each(entries)('exports from "$entry" what its source exports', async ({ entry, file }) => {
    const built = await exportsOf(join(manifest.name, entry));
    const source = Object.keys(await import(join(folder, file))).sort();
    expect(built).toEqual(source);
    expect(built.length).toBeGreaterThan(0);
  });

  test('depends on published versions only', async () => {
    const packed = await readFile(join(consumer, 'node_modules', manifest.name, 'package.json'), 'utf8');
    expect(packed).not.toMatch(/"(workspace|catalog|link|file):/);
  });
});

test("a user's program stops an agent with them", async () => {
  const program = join(consumer, 'program.mjs');
  await copyFile(join(import.meta.dirname, 'support/consumer.mjs'), program);
  expect(JSON.parse(await must(process.execPath, [program], { cwd: consumer }))).toEqual({
    alive: false,
    killed: 1,
    total: 1,
    settled: true,
    isRefused: true,
    types: expect.arrayContaining(['order.requested', 'agent.killed', 'order.settled']),
  });
});

test('a package is not resolved from the workspace', async () => {
  const script = `console.log(import.meta.resolve('@agent-killswitch/core'))`;
  const url = await must(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer });
  expect(url).toContain(`${consumer}/node_modules/@agent-killswitch/core/dist/index.js`);
});

test('what is not exported cannot be imported', async () => {
  const script = `await import('@agent-killswitch/core/dist/index.js')`;
  const { code, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: consumer,
  });
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

/** The names a consumer's process sees. */
async function exportsOf(specifier: string): Promise<string[]> {
  const script = `console.log(JSON.stringify(Object.keys(await import('${specifier}')).sort()))`;
  return JSON.parse(await must(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer }));
}

/** Gives the consumer a third-party dependency as one of our packages has it, so that no registry is needed. */
async function link(dependency: string, from: string): Promise<void> {
  const place = join(consumer, 'node_modules', dependency);
  await mkdir(dirname(place), { recursive: true });
  await rm(place, { force: true });
  await symlink(await realpath(join(from, 'node_modules', dependency)), place);
}
