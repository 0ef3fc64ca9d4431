import { join } from 'node:path';
import { buildAll } from '../building/build.ts';
import { packAll, type Tarball } from '../building/pack.ts';
import { run } from '../lib/run.ts';
import { missingExports, publicPackages, workspacePackages } from '../lib/workspace.ts';
import { root } from '../setup/workspace-files.mjs';
import { builtinImports } from './builtin-imports.ts';

/** Something that is right or wrong about the checkout. */
export interface Check {
  readonly name: string;
  /** Whether what follows makes no sense if this is wrong. */
  readonly decisive?: boolean;
  /** Answers what is wrong, one text per fault; none if all is right. */
  find(): Promise<readonly string[]>;
}

/** Scripts for a browser, which know other globals than the rest. */
const consoleFolder = join(root, 'packages/express-router/console');

/** Every check, in the order in which they build on each other. */
export function allChecks(temporaryFolder: string): Check[] {
  const tarballs: Tarball[] = [];
  return [
    tool('lint and format', '@biomejs/biome/bin/biome', ['ci', '--colors=off', '.']),
    ...['.', ...workspacePackages().map(({ folder }) => folder), consoleFolder].map((folder) =>
      tool(`types of ${folder === '.' ? 'the root' : folder.slice(root.length + 1)}`, 'typescript/bin/tsc', [
        '-p',
        folder,
      ]),
    ),
    {
      name: 'build',
      decisive: true,
      find: async () => {
        await buildAll();
        return publicPackages().flatMap(missingExports);
      },
    },
    { name: 'core runs without Node', find: () => builtinImports(join(root, 'packages/core/dist')) },
    {
      name: 'pack',
      decisive: true,
      find: async () => {
        tarballs.push(...(await packAll(publicPackages(), temporaryFolder)));
        return [];
      },
    },
    {
      name: 'README and licence in every tarball',
      find: async () => (await Promise.all(tarballs.map(lackingPapers))).flat(),
    },
    ...publicPackages().flatMap(({ manifest: { name } }) => {
      const file = () => tarballs.find((tarball) => tarball.name === name)?.file ?? `no tarball of ${name}`;
      return [
        tool(`publint ${name}`, 'publint/src/cli.js', () => ['run', file(), '--strict']),
        tool(`types as published ${name}`, '@arethetypeswrong/cli/dist/index.js', () => [
          file(),
          '--profile',
          'esm-only',
        ]),
      ];
    }),
  ];
}

/** A check that is a command of a development dependency: exit code 0 is right, its output the fault. */
function tool(name: string, script: string, args: readonly string[] | (() => string[])): Check {
  return {
    name,
    find: async () => {
      const given = typeof args === 'function' ? args() : args;
      const path = join(root, 'node_modules', script);
      const { code, stdout, stderr } = await run(process.execPath, [path, ...given], {
        cwd: root,
        deadlineMs: 180_000,
      });
      return code === 0 ? [] : [`${stdout}${stderr}`.trim() || `exit code ${code}`];
    },
  };
}

/** Every published package brings its README and the licence. */
async function lackingPapers({ name, file }: Tarball): Promise<string[]> {
  const { stdout } = await run('tar', ['-tzf', file]);
  const files = stdout.split('\n');
  return ['package/README.md', 'package/LICENSE']
    .filter((paper) => !files.includes(paper))
    .map((paper) => `${name}: no ${paper}`);
}
