import { EventEmitter } from 'eventemitter3';
import type { Agent, AgentStatus } from './agent.ts';
import type { AuditEvent } from './audit-event.ts';
import { InvalidInputError } from './errors.ts';
import type { StopOrder } from './order.ts';

/** The steps of a stop, in order: the gate is shut, the request is on record, and so on; `unconfirmed` may come before `confirmed`. */
export type StopStep =
  | 'placed'
  | 'requested'
  | 'claimed'
  | 'signalled'
  | 'forced'
  | 'unconfirmed'
  | 'confirmed'
  | 'cleaned'
  | 'settled';

/** What a killswitch tells its listeners. Told after the fact is stored; only a hint for anything but display. */
export interface KillswitchEvents {
  /** An agent's status changed. `from` is absent on admission. */
  transition: { readonly agent: Agent; readonly from?: AgentStatus };
  /** A stop has taken a step. `agentId` is absent on the steps of the order itself. */
  step: {
    readonly step: StopStep;
    readonly order: StopOrder;
    readonly agentId?: string;
    readonly at: number;
  };
  /**
   * This host puts a fact on the audit record. Told once, when the record is given it and not when it is durable, so that it
   * is told while the audit sink is down, too. If it is told again, after a crash or by another host, it has the same `id`.
   * `isCopy`: it was another host that was asked; this one has it on its record, too (decision 015).
   */
  audit: { readonly event: AuditEvent; readonly isCopy: boolean };
  /**
   * Audit events cannot be made durable; they are held in memory and written to the last resort. Or so many wait that what comes
   * now is on the last resort alone, as `error` says.
   */
  'audit-degraded': { readonly error: string; readonly waiting: number };
  /** All audit events that were held are durable again. */
  'audit-restored': { readonly waiting: 0 };
  /** Something failed that changes nothing for the caller but that an operator should know. */
  warning: { readonly message: string };
}

const eventNames: ReadonlySet<string> = new Set<keyof KillswitchEvents>([
  'transition',
  'step',
  'audit',
  'audit-degraded',
  'audit-restored',
  'warning',
]);

type Listener<K extends keyof KillswitchEvents> = (event: KillswitchEvents[K]) => void;

/** Events whose listeners cannot break the emitter or each other (I5): each is called on its own, never awaited. */
export class GuardedEvents {
  readonly #emitter = new EventEmitter();

  /**
   * Adds a listener; the returned function removes it. What it throws or rejects with is reported as a `warning`.
   * @throws InvalidInputError
   */
  on<K extends keyof KillswitchEvents>(name: K, listener: Listener<K>): () => void {
    if (!eventNames.has(name))
      throw new InvalidInputError('event', [`there is none named "${String(name)}"`]);
    if (typeof listener !== 'function') throw new InvalidInputError('listener', ['must be a function']);
    const guarded = (event: KillswitchEvents[K]): void => {
      try {
        const result: unknown = listener(event);
        if (result instanceof Promise) result.catch(() => this.#blame(name));
      } catch {
        this.#blame(name);
      }
    };
    this.#emitter.on(name, guarded);
    return () => {
      this.#emitter.off(name, guarded);
    };
  }

  /** Whether anybody would hear it. */
  hasListener(name: keyof KillswitchEvents): boolean {
    return this.#emitter.listenerCount(name) > 0;
  }

  /** Listeners get a copy: whatever they do to it changes nothing here. */
  emit<K extends keyof KillswitchEvents>(name: K, event: KillswitchEvents[K]): void {
    if (this.hasListener(name)) this.#emitter.emit(name, structuredClone(event));
  }

  #blame(name: keyof KillswitchEvents): void {
    if (name !== 'warning') this.emit('warning', { message: `A listener of "${name}" failed` });
  }
}
