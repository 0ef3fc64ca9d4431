import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolders, root } from '../setup/workspace-files.mjs';

/** The parts of a package.json that scripts look at. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** Absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The condition under which packages resolve to their sources, in this workspace only. */
export const sourceCondition = 'agent-killswitch-source';

/** Every package of the workspace but the root, dependencies before their dependents. */
export function workspacePackages(): WorkspacePackage[] {
  const folders = packageFolders().filter((folder) => folder !== '');
  return inDependencyOrder(
    folders.map((folder) => ({
      folder: join(root, folder),
      manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')),
    })),
  );
}

/** The packages that are published. */
export function publicPackages(): WorkspacePackage[] {
  return workspacePackages().filter(({ manifest }) => manifest.private !== true);
}

/** @throws Error if packages need each other in a circle. Development dependencies do not count: nobody's users get them. */
export function inDependencyOrder(packages: readonly WorkspacePackage[]): WorkspacePackage[] {
  const byName = new Map(packages.map((one) => [one.manifest.name, one]));
  const ordered = new Set<WorkspacePackage>();
  const visit = (one: WorkspacePackage, path: readonly string[]): void => {
    if (ordered.has(one)) return;
    const { name, dependencies, peerDependencies } = one.manifest;
    if (path.includes(name)) throw new Error(`Packages need each other: ${[...path, name].join(' → ')}`);
    for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
      const needed = byName.get(dependency);
      if (needed !== undefined) visit(needed, [...path, name]);
    }
    ordered.add(one);
  };
  for (const one of packages) visit(one, []);
  return [...ordered];
}

/** What a package's `exports` promise: each entry's name and, relative to the package, the file a condition leads to. */
export function exportedFiles(manifest: Manifest): { entry: string; condition: string; file: string }[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) =>
    typeof target === 'string'
      ? [{ entry, condition: 'default', file: target }]
      : Object.entries(target).map(([condition, file]) => ({ entry, condition, file })),
  );
}

/** The files that `exports` promise and the folder lacks. */
export function missingExports({ folder, manifest }: WorkspacePackage): string[] {
  return exportedFiles(manifest)
    .filter(({ file }) => !existsSync(join(folder, file)))
    .map(({ entry, condition, file }) => `${manifest.name} "${entry}" (${condition}): no ${file}`);
}
