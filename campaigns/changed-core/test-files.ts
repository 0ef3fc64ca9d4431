import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from './module-graph.ts';

/** Test files of a folder and those in it, path below `packages`, for example of `core/src`. */
export function testFilesOf(folder: string): string[] {
  return readdirSync(join(packages, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(folder, file))
    .sort();
}
