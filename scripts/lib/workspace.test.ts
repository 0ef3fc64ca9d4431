import { expect, test } from 'vitest';
import { importedModules } from '../checking/builtin-imports.ts';
import { exportedFiles, inDependencyOrder, missingExports, type WorkspacePackage } from './workspace.ts';

function pack(name: string, dependencies: string[] = [], devDependencies: string[] = []): WorkspacePackage {
  const versions = (names: string[]) => Object.fromEntries(names.map((one) => [one, 'workspace:^']));
  return {
    folder: '/nowhere',
    manifest: { name, dependencies: versions(dependencies), devDependencies: versions(devDependencies) },
  };
}

test('dependencies come first', () => {
  const packages = [
    pack('router', ['core', 'sqlite']),
    pack('sqlite', ['core'], ['router']),
    pack('core', ['zod']),
  ];
  expect(inDependencyOrder(packages).map(({ manifest }) => manifest.name)).toEqual([
    'core',
    'sqlite',
    'router',
  ]);
});

test('a circle is named', () => {
  expect(() => inDependencyOrder([pack('a', ['b']), pack('b', ['a'])])).toThrow('a → b → a');
});

test('every condition of every entry is a promised file', () => {
  const manifest = {
    name: 'x',
    exports: { '.': { types: './a.d.ts', default: './a.js' }, './p': './p.json' },
  };
  expect(exportedFiles(manifest).map(({ entry, file }) => `${entry} ${file}`)).toEqual([
    '. ./a.d.ts',
    '. ./a.js',
    './p ./p.json',
  ]);
  expect(missingExports({ folder: '/nowhere', manifest })).toHaveLength(3);
});

test('imports of every form are found in bundled code', () => {
  const code = `import"node:fs";import a from "os";export{b}from'zod';await import("./c.js");require('path')`;
  expect(importedModules(code)).toEqual(['node:fs', 'os', 'zod', './c.js', 'path']);
});
