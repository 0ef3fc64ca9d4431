import type { AuditRecord } from './audit-chain.ts';
import type { AuditEvent } from './audit-event.ts';
import { withDeadline } from './deadline.ts';
import { isKillswitchError } from './errors.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import type { Clock } from './ports/clock.ts';

/** A sink that can always be asked to open. */
export type OpenedFirst = AuditSink & Required<Pick<AuditSink, 'open'>>;

/**
 * How long a call is waited for, in milliseconds: twice as long each time that it was not answered, so that few are open at once
 * (I12). A sink may read through all that it holds when it opens, and has a deadline of its own for that, mostly a minute.
 */
const patienceMs = { open: 90_000, append: 60_000, longest: 3_600_000 };

/**
 * The sink, of which nothing is asked before it is open: what comes earlier waits for that, or fails with it. A batch of no
 * events only opens it. What could not be opened is opened anew at the next call; what never comes back fails some day
 * (DeadlineError), so that it can be asked again.
 */
export function openedFirst(sink: AuditSink, clock: Clock): OpenedFirst {
  let opening: Promise<void> | undefined;
  const opened = patient(clock, 'opening the audit sink', patienceMs.open, async () => sink.open?.());
  const append = patient(
    clock,
    'appending to the audit sink',
    patienceMs.append,
    async (events: readonly AuditEvent[]) => sink.append(events),
  );
  const open = (): Promise<void> => {
    opening ??= opened().catch((error: unknown) => {
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
      if (events.length > 0) await append(events);
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

/** The call under a deadline, which is longer each time that it has passed. */
function patient<A extends unknown[]>(
  clock: Clock,
  what: string,
  firstMs: number,
  call: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  let ms = firstMs;
  return async (...args) => {
    try {
      await withDeadline(clock, what, ms, () => call(...args));
      ms = firstMs;
    } catch (error) {
      if (isKillswitchError(error, 'deadline')) ms = Math.min(ms * 2, patienceMs.longest);
      throw error;
    }
  };
}
