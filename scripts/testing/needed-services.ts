import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, run } from '../lib/run.ts';
import type { Service } from '../services/service.ts';
import { serviceNamed } from '../services/table.ts';
import { root } from '../setup/workspace-files.mjs';

/** Vitest's command line. */
export const vitest: string = join(root, 'node_modules/vitest/vitest.mjs');

/**
 * The services that the selected test files ask for in a comment `@services valkey postgres`.
 * @param args what is passed on to vitest
 */
export async function neededServices(args: readonly string[]): Promise<Service[]> {
  const names = new Set<string>();
  for (const file of await selectedFiles(args)) {
    for (const name of askedFor(await readFile(file, 'utf8'))) names.add(name);
  }
  return [...names].map(serviceNamed);
}

/** The names behind every `@services` at the start of a comment's line. */
export function askedFor(source: string): string[] {
  return [...source.matchAll(/^\s*(?:\/?\*+|\/\/)\s*@services\s+([a-z0-9 -]+?)\s*(?:\*\/)?$/gm)].flatMap(
    (match) => match[1]?.split(/\s+/) ?? [],
  );
}

async function selectedFiles(args: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'killswitch-tests-'));
  try {
    const list = join(folder, 'files.json');
    const options = ['list', '--filesOnly', `--json=${list}`, '--passWithNoTests', ...args];
    const { code, stderr, stdout } = await run(process.execPath, [vitest, ...options], { cwd: root });
    if (code !== 0)
      throw new CommandError('vitest', ['list', ...args], (stderr || stdout).trim().slice(-2_000));
    const files = JSON.parse(await readFile(list, 'utf8')) as { file: string }[];
    return [...new Set(files.map(({ file }) => file))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
