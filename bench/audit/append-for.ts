import type { AuditSink } from '@agent-killswitch/core';
import { killedEvent } from '../../test/support/audit-events.ts';

export interface Writing {
  /** The number of the first event. The million from there on is told by nobody else. */
  readonly first: number;
  readonly writers: number;
  /** The number of the first writer: writers are dealt to the chains in turn. Default 0. */
  readonly firstWriter?: number;
  /** How many chains. */
  readonly over: number;
  readonly ms: number;
}

/** Each writer appends one event after the other, for so long. Resolves with how many were appended. */
export async function appendFor(sink: AuditSink, writing: Writing): Promise<number> {
  const { first, writers, firstWriter = 0, over, ms } = writing;
  const until = performance.now() + ms;
  let next = first;
  const write = async (n: number): Promise<void> => {
    while (performance.now() < until)
      await sink.append([{ ...killedEvent(next++), workspaceId: `of-${over}-${(firstWriter + n) % over}` }]);
  };
  await Promise.all(Array.from({ length: writers }, (_, n) => write(n)));
  return next - first;
}
