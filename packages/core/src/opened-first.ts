import type { AuditRecord } from './audit-chain.ts';
import type { AuditSink } from './ports/audit-sink.ts';

/** A sink that can always be asked to open. */
export type OpenedFirst = AuditSink & Required<Pick<AuditSink, 'open'>>;

/**
 * The sink, of which nothing is asked before it is open: what comes earlier waits for that, or fails with it. A batch of no
 * events only opens it. What could not be opened is opened anew at the next call.
 */
export function openedFirst(sink: AuditSink): OpenedFirst {
  let opening: Promise<void> | undefined;
  const open = (): Promise<void> => {
    opening ??= (async () => sink.open?.())().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  async function* records(read: () => AsyncIterable<AuditRecord>): AsyncGenerator<AuditRecord> {
    await open();
    yield* read();
  }
  const { readUndelivered, verify } = sink;
  return {
    open,
    async append(events) {
      await open();
      if (events.length > 0) await sink.append(events);
    },
    read: (query) => records(() => sink.read(query)),
    async heads() {
      await open();
      return sink.heads();
    },
    ...(readUndelivered !== undefined && {
      readUndelivered: (query) => records(() => readUndelivered.call(sink, query)),
    }),
    ...(verify !== undefined && {
      async verify(request) {
        await open();
        return verify.call(sink, request);
      },
    }),
  };
}
