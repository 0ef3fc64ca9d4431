import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import ts from 'typescript';

type Run = (exports: object, require: (specifier: string) => unknown, module: object) => void;

const compilerOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2024,
  esModuleInterop: true,
};

/** TypeScript sources as functions to run; what is read from disk is compiled once. */
export class Transpiled {
  readonly #known = new Map<string, Run>();

  /** `changed`: the text to take in place of what stands in the file. */
  compile(path: string, changed?: string): Run {
    if (changed !== undefined) return compile(path, changed);
    const known = this.#known.get(path) ?? compile(path, readFileSync(path, 'utf8'));
    this.#known.set(path, known);
    return known;
  }
}

function compile(path: string, source: string): Run {
  const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: path });
  return runInThisContext(`(function (exports, require, module) {${outputText}\n})`, {
    filename: path,
  }) as Run;
}
