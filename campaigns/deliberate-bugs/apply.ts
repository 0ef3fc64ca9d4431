import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from '../changed-core/module-graph.ts';
import type { DeliberateBug } from './deliberate-bug.ts';

/**
 * The changed sources by path below `packages`.
 * @throws Error for a text that does not stand exactly once in its file: the bug has to be written anew.
 */
export function apply({ name, edits }: DeliberateBug): ReadonlyMap<string, string> {
  const changes = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const path = join('core/src', file);
    const source = changes.get(path) ?? readFileSync(join(packages, path), 'utf8');
    const places = source.split(from).length - 1;
    if (places !== 1)
      throw new Error(`Deliberate bug "${name}": its text stands ${places} times in ${path}:\n${from}`);
    changes.set(
      path,
      source.replace(from, () => to),
    );
  }
  return changes;
}
