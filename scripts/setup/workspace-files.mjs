import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Tells this checkout from others in the names of locks. */
export const checkoutId = createHash('sha256').update(root).digest('hex').slice(0, 16);

/** The real binary, not the shell shim in `node_modules/.bin`: its process id and its signals are then its own. */
export const pinnedNode = join(root, 'node_modules/node/bin/node');

/** The folders that `pnpm-workspace.yaml` names. */
const houses = ['packages', 'examples'];

/** @returns {string[]} the folder of every package, the root's first (`''`), relative to the root */
export function packageFolders(at = root) {
  const folders = houses.flatMap((house) =>
    existsSync(join(at, house))
      ? readdirSync(join(at, house))
          .sort()
          .map((name) => join(house, name))
      : [],
  );
  return ['', ...folders.filter((folder) => existsSync(join(at, folder, 'package.json')))];
}

/** @returns {string} hex SHA-256 over everything that decides what an installation holds */
export function fingerprint(at = root) {
  const hash = createHash('sha256');
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'];
  for (const file of [...files, ...packageFolders(at).map((folder) => join(folder, 'package.json'))]) {
    const path = join(at, file);
    hash
      .update(`${file}\n`)
      .update(existsSync(path) ? readFileSync(path) : '')
      .update('\n');
  }
  return hash.digest('hex');
}
