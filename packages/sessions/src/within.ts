import { withinSignal } from '@agent-killswitch/core';

/**
 * Settles as `work` does, which may throw, hang or reject, after `ms` milliseconds at the latest. Unlike `AbortSignal.timeout` it
 * keeps the process alive meanwhile.
 * @throws whatever `work` does, or an Error that says that it took too long
 */
export async function within<T>(ms: number, work: () => T | Promise<T>): Promise<T> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`no answer within ${ms} ms`)), ms);
  try {
    return await withinSignal((async () => work())(), abort.signal);
  } finally {
    clearTimeout(timer);
  }
}
