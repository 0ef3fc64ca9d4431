import { join } from 'node:path';
import { must } from '../lib/run.ts';
import { publicPackages, type WorkspacePackage } from '../lib/workspace.ts';
import { exclusive } from '../setup/exclusive.mjs';
import { checkoutId, root } from '../setup/workspace-files.mjs';

const tsup = join(root, 'node_modules/tsup/dist/cli-default.js');
const deadlineMs = 3 * 60_000;

/**
 * Builds every published package into its `dist`, dependencies first. Two builds at once: the second waits.
 * @param built called after each package with how long it took
 * @throws CommandError with the compiler's output
 */
export async function buildAll(
  built: (name: string, ms: number) => void = () => {},
): Promise<WorkspacePackage[]> {
  const packages = publicPackages();
  await exclusive(`build-${checkoutId}`, async () => {
    for (const { folder, manifest } of packages) {
      const since = performance.now();
      await must(process.execPath, [tsup, '--silent'], { cwd: folder, deadlineMs });
      built(manifest.name, Math.round(performance.now() - since));
    }
  });
  return packages;
}
