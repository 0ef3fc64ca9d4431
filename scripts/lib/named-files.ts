import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The files `<name><suffix>` of a folder by their names, for example every `<name>.bench.ts`. */
export function namedFiles(folder: string, suffix: string): Map<string, string> {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .sort();
  return new Map(files.map((file) => [file.slice(0, -suffix.length), join(folder, file)]));
}
