import type { AuditSink } from '../../ports/audit-sink.ts';
import type { Runtime } from '../../ports/runtime.ts';
import type { StateStore } from '../../ports/state-store.ts';
import type { Turns } from './turns.ts';

export interface Scheduling {
  readonly turns: Turns;
  readonly host: string;
  /** Calls, `state.admit`, of which also the answer waits for its turn, so that others come between effect and answer. */
  readonly slowAnswers: readonly string[];
  /** Calls that pass at once: whatever they do is nothing to anybody else in the race. */
  readonly atOnce: readonly string[];
}

type Call = (...args: unknown[]) => unknown;

/** A port each of whose calls waits for its turn. */
function scheduled<P extends object>(real: P, port: string, names: readonly (keyof P)[], by: Scheduling): P {
  const copy = Object.create(real) as P;
  for (const name of names) {
    const call = (real[name] as Call).bind(real);
    const title = `${port}.${String(name)}`;
    if (by.atOnce.includes(title)) continue;
    const slow = by.slowAnswers.includes(title);
    const wait = (what: string): Promise<void> => by.turns.wait(by.host, what);
    Object.defineProperty(copy, name, {
      value: async (...args: unknown[]) => {
        await wait(title);
        const answer = await call(...args);
        if (slow) await wait(`${title} answer`);
        return answer;
      },
    });
  }
  return copy;
}

export function scheduledState(real: StateStore, by: Scheduling): StateStore {
  return scheduled(
    real,
    'state',
    [
      'admit',
      'getAgent',
      'getTask',
      'swapAgents',
      'listAgents',
      'listOrder',
      'placeOrder',
      'getOrder',
      'swapOrder',
      'listOpenOrders',
      'listGates',
      'approve',
      'release',
      'renewLease',
      'listLeases',
    ],
    by,
  );
}

export function scheduledAudit(real: AuditSink, by: Scheduling): AuditSink {
  return scheduled(real, 'audit', ['append'], by);
}

export function scheduledRuntime<R extends Runtime>(real: R, by: Scheduling): R {
  return scheduled<R>(real, 'runtime', ['kill', 'force', 'inspect'], by);
}
