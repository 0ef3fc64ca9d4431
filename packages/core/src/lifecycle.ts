import { type Agent, type Handle, isLive, type KillRecord, type LedgerEntry, maxHandles } from './agent.ts';
import { InvalidTransitionError } from './errors.ts';

/**
 * ```
 * spawning ──► running ──► completed | failed
 *     └──────────┴──► killing ──► killed
 * ```
 * `killing` is entered by the claim and left only by `killed`, with evidence (I3). The first terminal state stays (I2).
 */
export type LifecycleEvent =
  | { readonly type: 'running'; readonly at: number; readonly handles: readonly Handle[] }
  /** `handles`: how many of its handles were seen dead. Whoever has got another one since is not over (I2). */
  | { readonly type: 'completed'; readonly at: number; readonly handles?: number }
  | { readonly type: 'failed'; readonly at: number; readonly error: string; readonly handles?: number }
  | { readonly type: 'claim'; readonly at: number; readonly orderId: string }
  | {
      readonly type: 'unconfirmed';
      readonly at: number;
      readonly progress: KillProgress;
      readonly evidence: string;
    }
  | {
      readonly type: 'confirmed';
      readonly at: number;
      readonly progress: KillProgress;
      readonly evidence: string;
      /** How many handles the agent had when it was looked at. If it has more now, nothing was observed of those. */
      readonly handles: number;
    }
  /** A cleanup step went on: no change of status. */
  | { readonly type: 'cleaned'; readonly ledger: readonly LedgerEntry[] }
  /** Its failed cleanup steps are due again, at this time. */
  | { readonly type: 'clean-up-again'; readonly at: number };

/** What the ladder has done so far; times are milliseconds since the Unix epoch. */
export interface KillProgress {
  readonly signalledAt?: number;
  readonly forcedAt?: number;
  readonly errors: readonly string[];
}

/**
 * What the caller has to do after the change is stored. `pursue`: run the ladder over the agent's handles until it is
 * observed dead. `destroy`: the same for handles that came after the record was closed, or for which it has no room.
 * `clean-up`: run its cleanup.
 */
export type Effect =
  | { readonly type: 'pursue' }
  | { readonly type: 'destroy'; readonly handles: readonly Handle[] }
  | { readonly type: 'clean-up' };

/** The next agent (the very same object if nothing changes, the revision raised by one otherwise) and what to do then. */
export type Transition = readonly [next: Agent, effects: readonly Effect[]];

const neverRan = 'its host reported its end before it had any handle';

/** @throws InvalidTransitionError for an event that has no place in the agent's status. */
export function transition(agent: Agent, event: LifecycleEvent): Transition {
  switch (event.type) {
    case 'running':
      return onRunning(agent, event);
    case 'completed':
    case 'failed':
      return onEnd(agent, event);
    case 'claim':
      return onClaim(agent, event);
    case 'unconfirmed':
    case 'confirmed':
      return onOutcome(agent, event);
    case 'cleaned':
    case 'clean-up-again':
      if (isLive(agent))
        throw new InvalidTransitionError(
          `Agent "${agent.agentId}" is ${agent.status}: it cannot be cleaned up yet`,
        );
      if (event.type === 'cleaned')
        return [{ ...raised(agent), ledger: merged(agent.ledger, event.ledger) }, []];
      return onCleanUpAgain(agent, event.at);
    default:
      throw new InvalidTransitionError(
        `Agent "${agent.agentId}" is ${agent.status}: there is no event "${String((event as LifecycleEvent | undefined)?.type)}"`,
      );
  }
}

/** What is done stays so, also if it was tried once more from a copy that was out of date. */
function merged(stored: readonly LedgerEntry[], told: readonly LedgerEntry[]): LedgerEntry[] {
  return told.map(
    (entry) => stored.find(({ step, status }) => step === entry.step && status === 'done') ?? entry,
  );
}

function onCleanUpAgain(agent: Agent, at: number): Transition {
  const ledger = agent.ledger.map((entry) =>
    entry.status === 'failed' && entry.retryAt !== at ? { ...entry, retryAt: at } : entry,
  );
  const hasChanged = ledger.some((entry, n) => entry !== agent.ledger[n]);
  return [hasChanged ? { ...raised(agent), ledger } : agent, []];
}

function onRunning(agent: Agent, event: Extract<LifecycleEvent, { type: 'running' }>): Transition {
  switch (agent.status) {
    case 'spawning':
      return [{ ...raised(agent), status: 'running', handles: [...event.handles], startedAt: event.at }, []];
    case 'running':
    case 'killing': {
      const effects: Effect[] = agent.status === 'killing' ? [{ type: 'pursue' }] : [];
      // Told twice, since the first time was not answered: nothing new, and nothing new to observe.
      const known = new Set(agent.handles.map((handle) => JSON.stringify(handle)));
      const added = event.handles.filter((handle) => !known.has(JSON.stringify(handle)));
      if (added.length === 0) return [agent, effects];
      // A record with more of them could not be read again, and what no record names no stop finds (I1).
      if (agent.handles.length + added.length > maxHandles)
        return [agent, [...effects, { type: 'destroy', handles: added }]];
      return [{ ...raised(agent), handles: [...agent.handles, ...added], startedAt: event.at }, effects];
    }
    case 'killed':
    case 'failed':
    case 'completed':
      // It is over on record: what a handle reaches that comes now may not live (I2).
      return [agent, [{ type: 'destroy', handles: event.handles }]];
  }
}

function onEnd(agent: Agent, event: Extract<LifecycleEvent, { type: 'completed' | 'failed' }>): Transition {
  switch (agent.status) {
    case 'spawning':
    case 'running': {
      if (agent.handles.length > (event.handles ?? Number.POSITIVE_INFINITY)) return [agent, []];
      const ended = { ...raised(agent), completedAt: event.at };
      return event.type === 'completed'
        ? [{ ...ended, status: 'completed' }, [{ type: 'clean-up' }]]
        : [{ ...ended, status: 'failed', error: event.error }, [{ type: 'clean-up' }]];
    }
    case 'killing':
      if (agent.handles.length > 0) return [agent, [{ type: 'pursue' }]];
      return onOutcome(agent, {
        type: 'confirmed',
        at: event.at,
        progress: { errors: [] },
        evidence: neverRan,
        handles: 0,
      });
    default:
      return [agent, []];
  }
}

function onClaim(agent: Agent, event: Extract<LifecycleEvent, { type: 'claim' }>): Transition {
  switch (agent.status) {
    case 'spawning':
    case 'running': {
      const kill: KillRecord = {
        orderIds: [event.orderId],
        statusBefore: agent.status,
        requestedAt: event.at,
        errors: [],
      };
      return [{ ...agent, revision: agent.revision + 1, status: 'killing', kill }, [{ type: 'pursue' }]];
    }
    case 'killing': {
      if (agent.kill.orderIds.includes(event.orderId)) return [agent, [{ type: 'pursue' }]];
      const kill = { ...agent.kill, orderIds: [...agent.kill.orderIds, event.orderId] };
      return [{ ...raised(agent), kill }, [{ type: 'pursue' }]];
    }
    default:
      return [agent, []];
  }
}

function onOutcome(
  agent: Agent,
  event: Extract<LifecycleEvent, { type: 'unconfirmed' | 'confirmed' }>,
): Transition {
  if (agent.status === 'killed') return [agent, []];
  if (agent.status !== 'killing') {
    throw new InvalidTransitionError(
      `Agent "${agent.agentId}" is ${agent.status}: only a claimed agent has a kill outcome`,
    );
  }
  const { signalledAt = agent.kill.signalledAt, forcedAt = agent.kill.forcedAt, errors } = event.progress;
  // One copy of each: a kill-all comes by here a hundred thousand times.
  const kill: KillRecord = { ...agent.kill, evidence: event.evidence };
  if (signalledAt !== undefined) kill.signalledAt = signalledAt;
  if (forcedAt !== undefined) kill.forcedAt = forcedAt;
  if (errors.length > 0) kill.errors = [...new Set([...agent.kill.errors, ...errors])].slice(-20);
  if (event.type === 'confirmed') {
    if (agent.handles.length > event.handles) return [agent, [{ type: 'pursue' }]];
    kill.confirmedAt = event.at;
    const revision = agent.revision + 1;
    const killed: Agent = { ...agent, revision, status: 'killed', kill, completedAt: event.at };
    return [killed, [{ type: 'clean-up' }]];
  }
  kill.unconfirmedAt ??= event.at;
  return [{ ...raised(agent), status: 'killing', kill }, []];
}

function raised<A extends Agent>(agent: A): A {
  return { ...agent, revision: agent.revision + 1 };
}
