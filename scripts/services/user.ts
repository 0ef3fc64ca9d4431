import { boundToParent } from '../setup/child.mjs';

/** Whether this process may become somebody else. */
export const isRoot: boolean = process.getuid?.() === 0;

/** A user and a group of this machine. */
export interface Account {
  readonly user: string;
  readonly group: string;
}

/**
 * The same command under another account, for servers that should not or will not run as root. For anybody but root,
 * and without an account, it stays the caller's. The command gets `deathSignal` when this process dies.
 */
export function asUser(
  account: Account | undefined,
  command: string,
  args: readonly string[],
  deathSignal: NodeJS.Signals,
): [string, string[]] {
  if (account === undefined || !isRoot) return boundToParent(command, args);
  const identity = [`--reuid=${account.user}`, `--regid=${account.group}`, '--init-groups'];
  return ['setpriv', [...identity, '--pdeathsig', deathSignal, command, ...args]];
}
