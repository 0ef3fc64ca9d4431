import { readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';

/** Every import of a Node built-in in a folder's JavaScript, as a line that names file and module. */
export async function builtinImports(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.js'));
  if (files.length === 0) return [`${folder} has no JavaScript`];
  const found = await Promise.all(
    files.map(async (file) =>
      importedModules(await readFile(join(folder, file), 'utf8'))
        .filter((name) => isBuiltin(name))
        .map((name) => `${file} imports ${name}`),
    ),
  );
  return found.flat();
}

/** The module names behind `from`, `import` and `require` in bundled code. */
export function importedModules(source: string): string[] {
  const names = source.matchAll(/(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*["']([^"'\n]+)["']/g);
  return [...names].flatMap((match) => match[1] ?? []);
}
