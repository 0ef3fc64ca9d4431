import { iso, type Killswitch, type OrderReport } from '@agent-killswitch/core';
import type { ServerEvent } from './http.ts';

/** How long what this host does may wait to be told, and what another does, in milliseconds. */
const hintedMs = 100;
const unhintedMs = 1_000;
/** A step may become known after later ones: clocks of hosts differ, and stores answer late. */
const overlapMs = 10_000;
const steps = ['placed', 'requested', 'signalled', 'forced', 'unconfirmed', 'confirmed', 'settled'] as const;
type Step = (typeof steps)[number];

interface Told {
  readonly step: Step;
  readonly at: number;
  readonly agentId?: string;
  readonly data: object;
}

/**
 * The steps of an order, made from what is stored of it, so that they are the same on every host and after a restart: all
 * so far, or those after `lastEventId` and of 10 s before it, then each as it is taken, until the order has settled. An
 * event's id names it: whoever hears one twice drops it. While nobody can say how the order fares, nothing is told.
 */
export async function* orderEvents(
  ks: Killswitch,
  orderId: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const from = Number(/^(\d{1,15})\./.exec(lastEventId ?? '')?.[1] ?? 0) - overlapMs;
  const sent = new Set<string>(lastEventId === undefined ? [] : [lastEventId]);
  let wake = (): void => undefined;
  let hinted = false;
  const unhear = ks.on('step', ({ order }) => {
    if (order.orderId !== orderId) return;
    hinted = true;
    wake();
  });
  try {
    while (!signal.aborted) {
      hinted = false;
      const begun = performance.now();
      const report = await ks.report(orderId).catch(() => undefined);
      for (const told of report === undefined ? [] : stepsOf(report)) {
        const id = `${told.at}.${steps.indexOf(told.step)}.${told.agentId ?? ''}`;
        if (told.at < from || sent.has(id)) continue;
        sent.add(id);
        yield { id, event: told.step, data: told.data };
        if (signal.aborted) return;
      }
      if (report?.settled) return;
      // A big order is not read all the time.
      await pause(Math.max(hintedMs, 4 * (performance.now() - begun)), signal);
      if (!hinted) await pause(unhintedMs, signal, (resolve) => (wake = resolve));
    }
  } finally {
    unhear();
  }
}

/** In the order of their times. */
function stepsOf(report: OrderReport): Told[] {
  const told: Told[] = [{ step: 'placed', at: report.requestedAt, data: placedData(report) }];
  for (const outcome of report.outcomes) {
    const { agentId, taskId, workspaceId, evidence } = outcome;
    const tell = (step: Step, at: number | undefined, more: object = {}): void => {
      if (at === undefined) return;
      told.push({ step, at, agentId, data: { agentId, taskId, workspaceId, at: iso(at), ...more } });
    };
    tell('requested', outcome.requestedAt, { statusBefore: outcome.statusBefore });
    tell('signalled', outcome.signalledAt);
    tell('forced', outcome.forcedAt);
    tell('unconfirmed', outcome.unconfirmedAt, outcome.outcome === 'confirmed' ? {} : { evidence });
    tell('confirmed', outcome.confirmedAt, { evidence });
  }
  const { settledAt, total, killed, failed, errors } = report;
  if (settledAt !== undefined)
    told.push({
      step: 'settled',
      at: settledAt,
      data: { at: iso(settledAt), total, killed, failed, errors },
    });
  return told.sort((a, b) => a.at - b.at || steps.indexOf(a.step) - steps.indexOf(b.step));
}

function placedData({ orderId, scope, reason, stored, requestedAt, deadlineAt }: OrderReport): object {
  return { orderId, scope, reason, stored, at: iso(requestedAt), deadlineAt: iso(deadlineAt) };
}

/** Resolves after `ms`, when the signal is given, or when `hear`'s callback is called. */
function pause(ms: number, signal: AbortSignal, hear?: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
    hear?.(done);
  });
}
