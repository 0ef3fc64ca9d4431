import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { systemCode } from './errors.ts';

/** The file that `command` would run, found as execvp(3) does, or why there is none. */
export function findProgram(
  command: string,
  path: string | undefined,
  cwd: string,
): string | { readonly code: string } {
  if (command === '' || command.includes('\0')) return { code: 'ENOENT' };
  if (command.includes('/')) return check(resolve(cwd, command));
  let refusal = { code: 'ENOENT' };
  for (const folder of (path ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter)) {
    const found = check(resolve(cwd, folder, command));
    if (typeof found === 'string') return found;
    if (found.code === 'EACCES') refusal = found;
  }
  return refusal;
}

function check(file: string): string | { readonly code: string } {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? file : { code: 'EACCES' };
  } catch (error) {
    return { code: systemCode(error) ?? 'ENOENT' };
  }
}
