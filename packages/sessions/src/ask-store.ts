import { describeError } from '@agent-killswitch/core';
import { SessionStoreError } from './errors.ts';
import { within } from './within.ts';

/** How long a call of a session store is waited for, in milliseconds. */
export const storeMs = 2_000;

/** Resolves as `call` does. @throws SessionStoreError, after `ms` milliseconds at the latest */
export async function askStore<T>(
  what: string,
  call: () => T | Promise<T>,
  ms: number = storeMs,
): Promise<T> {
  try {
    return await within(ms, call);
  } catch (cause) {
    throw new SessionStoreError(`${what}: ${describeError(cause)}`, { cause });
  }
}
