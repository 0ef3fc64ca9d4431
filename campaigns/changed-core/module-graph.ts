import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Transpiled } from './transpiled.ts';

export const packages: string = fileURLToPath(new URL('../../packages/', import.meta.url));
const entries: Readonly<Record<string, string>> = {
  '@agent-killswitch/core': 'core/src/index.ts',
  '@agent-killswitch/core/memory': 'core/src/memory/index.ts',
  '@agent-killswitch/conformance': 'conformance/src/index.ts',
};
const transpiled = new Transpiled();

type Exports = Record<string, unknown>;

/**
 * The sources of core and conformance as modules of their own in this process, some of them changed: as if their
 * folders had been copied and edited, without the files. Whatever else they import is this process's own.
 */
export class ModuleGraph {
  readonly #changed: ReadonlyMap<string, string>;
  readonly #given: ReadonlyMap<string, Exports>;
  readonly #loaded = new Map<string, Exports>();

  /** `changed`: source text by path below `packages`. `given`: modules that are handed in, by specifier. */
  constructor(changed: ReadonlyMap<string, string>, given: ReadonlyMap<string, Exports>) {
    this.#changed = changed;
    this.#given = given;
  }

  /** @param file path below `packages`, for example `core/src/index.ts`. @throws what the module throws. */
  load(file: string): Exports {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known;
    const module = { exports: {} as Exports };
    this.#loaded.set(file, module.exports);
    const path = join(packages, file);
    const run = transpiled.compile(path, this.#changed.get(file));
    run(module.exports, (specifier: string) => this.#resolve(file, specifier), module);
    this.#loaded.set(file, module.exports);
    return module.exports;
  }

  #resolve(from: string, specifier: string): Exports {
    if (specifier.startsWith('.')) return this.load(join(dirname(from), specifier));
    const entry = entries[specifier];
    if (entry !== undefined) return this.load(entry);
    const given = this.#given.get(specifier);
    if (given !== undefined) return given;
    // Node loads ES modules this way too; their default export has to be found where the transpiler looks for it.
    const loaded = createRequire(join(packages, from))(specifier) as Exports;
    return { ...loaded, __esModule: true };
  }
}
