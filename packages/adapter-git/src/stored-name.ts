import { sha256 } from '@agent-killswitch/core';

const maxNameBytes = 255;

/** What the Macintosh's file system takes for nothing in a name, and git therefore too. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Whether git stores nothing of that name: `.git` in all spellings that it is protected against on any file system (`.GIT`,
 * `.git `, `git~1`, `x\.git`), and `.gitmodules` as a symbolic link.
 */
export function isForbidden(name: Buffer, isLink: boolean): boolean {
  const folded = name.toString().replace(ignorable, '').toLowerCase();
  return folded.split('\\').some((part) => {
    const plain = part.replace(/:.*/s, '').replace(/[ .]+$/, '');
    if (plain === '.git' || plain === 'git~1') return true;
    return isLink && (plain === '.gitmodules' || /^gi[0-9a-z]{0,4}~[0-9]+$/.test(plain));
  });
}

/** What is stored instead: the same name with `-salvaged`, and a number if that is taken. */
export function storedName(name: Buffer, count: number): Buffer {
  const suffix = count === 1 ? '-salvaged' : `-salvaged-${count}`;
  const harmless = Buffer.from(name.map((byte) => (byte === 0x3a || byte === 0x5c ? 0x5f : byte)));
  const base = harmless.length + suffix.length > maxNameBytes ? hashOf(name) : harmless;
  return Buffer.concat([base, Buffer.from(suffix)]);
}

/** Whether a path has a name in it that `storedName` gave, or somebody who called a thing so. */
export function hasStoredName(path: Buffer): boolean {
  return /-salvaged(?:-[0-9]+)?(?:\/|$)/.test(path.toString('latin1'));
}

function hashOf(name: Buffer): Buffer {
  return Buffer.from(sha256(name.toString('latin1')).slice(0, 16));
}
