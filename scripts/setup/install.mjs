import { existsSync, lstatSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitLike, runChild } from './child.mjs';
import { exclusive } from './exclusive.mjs';
import { SetupError } from './setup-error.mjs';
import { checkoutId, fingerprint, packageFolders, pinnedNode, root } from './workspace-files.mjs';

/** pnpm 12 failed to resolve a platform package of its own here. */
export const pnpm = 'pnpm@10.34.9';

const stamp = join(root, 'node_modules/.agent-killswitch-setup');
const installDeadlineMs = 10 * 60_000;

/**
 * Makes `node_modules` what the lockfile says, unless a stamp shows that it already is. Two at once: the second waits
 * for the first and then finds nothing to do.
 *
 * @returns {Promise<void>}
 * @throws {SetupError}
 */
export async function ensureInstalled() {
  if (!isInstalled()) {
    await exclusive(`install-${checkoutId}`, async () => {
      if (!isInstalled()) await install();
    });
  }
  unshim();
}

/**
 * Puts the binary itself in place of pnpm's shell shim, which stands first on the PATH of npm's scripts: the shell would
 * stay between npm and the command, and a signal from npm would end only the shell.
 */
function unshim() {
  const shim = join(root, 'node_modules/.bin/node');
  if (lstatSync(shim, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  symlinkSync('../node/bin/node', `${shim}.${process.pid}`);
  renameSync(`${shim}.${process.pid}`, shim);
}

function isInstalled() {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint() || !existsSync(pinnedNode))
    return false;
  return packageFolders().every(
    (folder) => existsSync(join(root, folder, 'node_modules')) || needsNothing(folder),
  );
}

/**
 * pnpm makes no `node_modules` for a package without dependencies.
 *
 * @param {string} folder relative to the root
 * @returns {boolean}
 */
function needsNothing(folder) {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  return Object.keys({ ...dependencies, ...devDependencies }).length === 0;
}

async function install() {
  const wanted = fingerprint();
  process.stderr.write(`setup: installing dependencies with ${pnpm} (about a minute the first time)\n`);
  let output = '';
  const end = await runChild(
    'npx',
    ['-y', pnpm, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      deadlineMs: installDeadlineMs,
      onOutput: (text) => {
        process.stderr.write(text);
        output = (output + text).slice(-20_000);
      },
    },
  ).catch((error) => {
    throw new SetupError(
      `Could not run npx (${error.code ?? error.message}). npx comes with npm: install npm (Debian: apt-get install npm) and run this again.`,
    );
  });
  if (end.signal !== null && !end.late) {
    exitLike(end);
    throw new SetupError(`The installation was ended by ${end.signal}.`);
  }
  if (end.late || end.code !== 0) throw new SetupError(whyItFailed(output, end.late));
  if (!existsSync(pinnedNode)) {
    throw new SetupError(
      `pnpm finished, but ${pinnedNode} is not there, so the pinned Node was not unpacked. Delete node_modules and run this again.`,
    );
  }
  writeFileSync(`${stamp}.${process.pid}`, wanted);
  renameSync(`${stamp}.${process.pid}`, stamp);
}

/**
 * @param {string} output the end of what the installation said
 * @param {boolean} late whether it was ended at its deadline
 * @returns {string} one paragraph
 */
export function whyItFailed(output, late) {
  if (/ENOSPC/.test(output)) {
    return `The disk is full: dependencies need about 700 MB under ${root} and in the caches under your home directory. Free some and run this again.`;
  }
  if (
    late ||
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH/.test(
      output,
    )
  ) {
    return 'The npm registry could not be reached. The first run needs network access to it (or a registry named in ~/.npmrc); later runs need none. Check the connection or proxy and run this again.';
  }
  if (/ERR_PNPM_OUTDATED_LOCKFILE/.test(output)) {
    return `pnpm-lock.yaml does not match a package.json. Run "npx -y ${pnpm} install", commit the lockfile and run this again.`;
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return `Something under ${root} or in the npm cache may not be written by this user; the output above names it. Correct its owner and run this again.`;
  }
  return 'pnpm could not install the dependencies; its output above says why.';
}
