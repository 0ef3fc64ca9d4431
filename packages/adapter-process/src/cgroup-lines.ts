import { readFileSync } from 'node:fs';
import { systemCode } from './errors.ts';
import { adoptedBelow, parentName } from './home.ts';

/** The cgroups of a process, one line for each hierarchy (`/proc/<pid>/cgroup`); `undefined` if it is gone. */
export function cgroupLines(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'latin1');
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(thrown) ?? '')) return undefined;
    // Not readable, or no cgroups in this kernel: nothing is told by them.
    return '';
  }
}

/**
 * Whether what has these lines can be born of a process with those of `ancestor`: in every hierarchy it is where that is, or
 * below, or where that was before it was adopted, and in no cgroup made for another agent. Only who may write to the cgroup
 * file system leaves what it was born in.
 */
export function canBeBornOf(lines: string, ancestor: string): boolean {
  const paths = pathsIn(lines);
  return [...pathsIn(ancestor)].every(([hierarchy, from]) => {
    const path = paths.get(hierarchy);
    return path === undefined || isBornIn(path, from) || isBornIn(path, adoptedBelow(from));
  });
}

function isBornIn(path: string, from: string): boolean {
  if (path === from) return true;
  const base = from === '/' ? '' : from;
  return path.startsWith(`${base}/`) && !path.slice(base.length).includes(`/${parentName}/`);
}

/** By the controllers of the hierarchy, which name it; v2 has none there. */
function pathsIn(lines: string): Map<string, string> {
  const found = lines.matchAll(/^\d+:([^:\n]*):(\/.*)$/gm);
  return new Map([...found].map(([, hierarchy = '', path = '']) => [hierarchy, path]));
}
