import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../lib/run.ts';
import type { WorkspacePackage } from '../lib/workspace.ts';
import { pnpm } from '../setup/install.mjs';
import { root } from '../setup/workspace-files.mjs';

export interface Tarball {
  readonly name: string;
  /** Absolute path of the `.tgz`. */
  readonly file: string;
}

/**
 * Packs built packages as they would be published: pnpm puts real versions in place of `workspace:` and `catalog:`.
 * @param folder where the tarballs go
 */
export async function packAll(packages: readonly WorkspacePackage[], folder: string): Promise<Tarball[]> {
  await mkdir(folder, { recursive: true });
  const filters = packages.flatMap(({ manifest }) => ['--filter', manifest.name]);
  const args = ['-y', pnpm, '-r', ...filters, 'pack', '--pack-destination', folder];
  await must('npx', args, { cwd: root, deadlineMs: 2 * 60_000 });
  const files = await readdir(folder);
  return packages.map(({ manifest: { name } }) => {
    const prefix = `${name.replace('@', '').replace('/', '-')}-`;
    const file = files.find((candidate) => new RegExp(`^${prefix}\\d.*\\.tgz$`).test(candidate));
    if (file === undefined) throw new Error(`pnpm pack made no tarball of ${name}`);
    return { name, file: join(folder, file) };
  });
}
