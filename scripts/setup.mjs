/**
 * What every command of this checkout does first: dependencies as the lockfile says, then Node as the lockfile says.
 * Runs on Node 20 without any dependency. Writes to stderr only, so that a command's stdout is its own.
 */
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitLike, runChild } from './setup/child.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { SetupError } from './setup/setup-error.mjs';
import { pinnedNode, root } from './setup/workspace-files.mjs';

/** How long a command may take to end itself after a Ctrl-C before it is killed. */
const graceMs = 30_000;

/**
 * Sets up, runs a script of this checkout on the pinned Node with this process's arguments, and ends as it ends.
 * Workspace packages resolve to their sources.
 *
 * @param {string} script relative to the root
 * @returns {Promise<void>}
 */
export async function enter(script) {
  if (!(await setUp())) return;
  const path = `${dirname(pinnedNode)}${delimiter}${process.env.PATH ?? ''}`;
  const args = ['--conditions=agent-killswitch-source', join(root, script), ...process.argv.slice(2)];
  exitLike(
    await runChild(pinnedNode, args, { stdio: 'inherit', graceMs, env: { ...process.env, PATH: path } }),
  );
}

/** @returns {Promise<boolean>} whether all is in place; if not, stderr says why and the exit code is 1 */
async function setUp() {
  try {
    const major = Number(process.versions.node.split('.')[0]);
    if (major < 20) {
      throw new SetupError(
        `This needs Node 20 or newer to set itself up; ${process.execPath} is ${process.version}. Install a newer one (https://nodejs.org, or Debian's backports) and run this again.`,
      );
    }
    await ensureInstalled();
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`\nsetup: ${error.message}\n`);
    process.exitCode = 1;
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && (await setUp())) {
  process.stderr.write(`setup: ready, Node at ${pinnedNode}\n`);
}
