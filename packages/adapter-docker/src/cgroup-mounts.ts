import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Mount {
  /** Which part of the hierarchy is mounted; `/` for all of it. */
  readonly root: string;
  readonly point: string;
}

/** Where this process sees the two hierarchies of use. */
export class CgroupMounts {
  readonly #unified: Mount | undefined;
  readonly #freezer: Mount | undefined;

  /** @param mountinfo the text of `/proc/self/mountinfo` */
  constructor(mountinfo: string) {
    const lines = mountinfo.split('\n');
    this.#unified = find(lines, (type) => type === 'cgroup2');
    this.#freezer = find(lines, (type, options) => type === 'cgroup' && options.includes('freezer'));
  }

  /** None at all where there is no `/proc`. */
  static here(): CgroupMounts {
    try {
      return new CgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
    } catch {
      return new CgroupMounts('');
    }
  }

  /** Where cgroup v2 is mounted. */
  get unifiedPoint(): string | undefined {
    return this.#unified?.point;
  }

  /** Where the v1 freezer is mounted. */
  get freezerPoint(): string | undefined {
    return this.#freezer?.point;
  }

  /** The folder of a cgroup (v2), if it can be seen from here. */
  unified(path: string): string | undefined {
    return folder(this.#unified, path);
  }

  /** The folder of a cgroup of the v1 freezer, if it can be seen from here. */
  freezer(path: string): string | undefined {
    return folder(this.#freezer, path);
  }
}

function find(
  lines: readonly string[],
  matches: (type: string, options: string[]) => boolean,
): Mount | undefined {
  for (const line of lines) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, point] = before.split(' ').map(unescaped);
    const [type = '', , options = ''] = after.split(' ');
    if (root !== undefined && point !== undefined && matches(type, options.split(',')))
      return { root, point };
  }
  return undefined;
}

/** Mount points have white space and backslashes written as `\040`. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function folder(mount: Mount | undefined, path: string): string | undefined {
  if (mount === undefined) return undefined;
  if (mount.root === '/') return join(mount.point, path);
  return path.startsWith(`${mount.root}/`) ? join(mount.point, path.slice(mount.root.length)) : undefined;
}
