import type { CleanupReport, CleanupTarget, Killswitch } from '@agent-killswitch/core';
import type { HandlerContext, HttpResponse } from './http.ts';
import { unlessLate } from './within.ts';

/** Cleanups that are tried again just now: however often it is asked for, each is tried once at a time (I12). */
export class Cleanups {
  readonly #trying = new Map<string, Promise<CleanupReport>>();

  retry(ks: Killswitch, target: CleanupTarget): Promise<CleanupReport> {
    const key = JSON.stringify(target);
    const known = this.#trying.get(key);
    if (known !== undefined) return known;
    const trying = ks.retryCleanup(target).finally(() => this.#trying.delete(key));
    this.#trying.set(key, trying);
    return trying;
  }
}

/** What became of it, or that it goes on: a step may take longer than a caller is kept waiting. */
export async function retriedCleanup(
  { ks, cleanups, waitMs }: HandlerContext,
  target: CleanupTarget,
): Promise<HttpResponse> {
  const report = await unlessLate(waitMs, cleanups.retry(ks, target));
  if (report === undefined)
    return { status: 202, body: { message: 'Still cleaning up; ask again to hear how it went' } };
  const { total, cleaned, elsewhere, errors } = report;
  return {
    status: 200,
    body: { message: messageOf(report), total, cleaned, elsewhere, errors: [...errors] },
  };
}

function messageOf({ total, cleaned, elsewhere }: CleanupReport): string {
  if (total === 0) return 'No cleanup step had failed';
  const others = elsewhere === 0 ? '' : `; the hosts of ${elsewhere} others try it themselves`;
  return `Cleaned up after ${cleaned} of ${total} ${total === 1 ? 'agent' : 'agents'}${others}`;
}
