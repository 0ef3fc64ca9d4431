import { demandAdmitted } from './admitted.ts';
import {
  type Agent,
  type Handle,
  handleSchema,
  isLive,
  maxHandles,
  type NewAgent,
  newAgentSchema,
} from './agent.ts';
import type { Book } from './book.ts';
import type { Change } from './change.ts';
import type { Cleanup } from './cleanup.ts';
import { DoubtfulAdmissions } from './doubtful-admissions.ts';
import {
  AuditUnavailableError,
  describeError,
  GateClosedError,
  InvalidInputError,
  isKillswitchError,
  TooManyHandlesError,
  UnknownTargetError,
} from './errors.ts';
import type { GuardedEvents } from './events.ts';
import type { Gate } from './gate.ts';
import { parseInput, textInput } from './input.ts';
import type { LifecycleEvent } from './lifecycle.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';
import type { Recorder } from './recorder.ts';
import { isSeenDead } from './review.ts';
import { Route } from './route.ts';
import type { Stops } from './stops.ts';
import type { Unanswered } from './unanswered.ts';

const maxLineage = 64;
const lookMs = 1_000;

type Ending = Extract<LifecycleEvent, { type: 'completed' | 'failed' }>;

/** An agent that is said to have ended, and that was not seen dead then. */
interface Doubted {
  readonly event: Ending;
  /** Kept from look to look, since few calls may hang on each (I12). */
  readonly routes: readonly Route[];
  isLooking: boolean;
}

export interface AdmissionHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly events: GuardedEvents;
  readonly recorder: Pick<Recorder, 'degraded'>;
  readonly stops: Stops;
  readonly cleanup: Cleanup;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly unanswered: Unanswered;
}

/** Lets agents in, past the gates, and takes what their host says of their lives. */
export class Admissions {
  readonly #host: AdmissionHost;
  readonly #doubtful: DoubtfulAdmissions;
  /** Said to have ended, by agent id; told when they are seen dead. At most this host's own agents (I12). */
  readonly #ending = new Map<string, Doubted>();
  #bar: Gate | undefined;

  constructor(host: AdmissionHost) {
    this.#host = host;
    const end = (agentId: string): Promise<unknown> =>
      this.ended(agentId, 'its admission was not answered in time');
    this.#doubtful = new DoubtfulAdmissions({ ...host, end });
    // A handle that fitted here comes too late for the store, where the agent is over.
    host.book.onTold(({ agent, effects }) => {
      for (const effect of effects)
        if (effect.type === 'destroy') void host.stops.destroy(agent, effect.handles);
    });
  }

  /** Lets nobody in any more, and turns back whoever is on the way in: this host shuts down. The first bar stays. */
  bar(gate: Gate): void {
    this.#bar ??= gate;
  }

  /** See `Killswitch.admit`. */
  async admit(input: NewAgent): Promise<Agent> {
    const { book, clock, hostId, stops, events, cleanup, recorder } = this.#host;
    const wanted = parseInput('agent', newAgentSchema, input);
    const agent: Agent = {
      ...wanted,
      lineage: await this.#lineage(wanted),
      hostId,
      revision: 0,
      handles: [],
      ledger: cleanup.plan(),
      spawnedAt: clock.now(),
      status: 'spawning',
    };
    const barredBy = this.#bar ?? stops.unplacedGate(agent);
    if (barredBy !== undefined) throw new GateClosedError(barredBy);
    if (recorder.degraded)
      throw new AuditUnavailableError('Nothing can be put on record: no agent starts until it can');
    const barring = stops.barring(agent);
    const doubts = this.#doubtful.take(agent.agentId);
    try {
      demandAdmitted(agent, await book.ask('admitting an agent', (store) => store.admit(agent)));
    } catch (error) {
      this.#doubtful.add(...doubts);
      if (isKillswitchError(error, 'state-unavailable')) {
        book.doubt(agent.agentId);
        this.#doubtful.add(agent);
      }
      throw error;
    }
    if (this.#bar !== undefined) {
      // The stop of this host may be over already, and would never see it. If this fails, the next start does it.
      await this.ended(agent.agentId, 'its host shuts down: it never started').catch(() => undefined);
      throw new GateClosedError(this.#bar);
    }
    for (const run of barring) run.outlived();
    book.trust(agent.agentId);
    book.note(agent);
    events.emit('transition', { agent });
    return agent;
  }

  /** See `Killswitch.running`. */
  async running(agentId: string, input: readonly Handle[]): Promise<Agent> {
    const handles = parseInput('handles', handleSchema.array().min(1).max(maxHandles), input);
    for (const { runtime } of handles) {
      if (!this.#host.runtimes.has(runtime))
        throw new InvalidInputError('handles', [`no runtime is named "${runtime}"`]);
    }
    const id = textInput('agentId', agentId);
    const event: LifecycleEvent = { type: 'running', at: this.#host.clock.now(), handles };
    const change = await this.#host.book.change(id, event);
    this.#carryOut(change);
    if (isLive(change.agent) && change.effects.some(({ type }) => type === 'destroy'))
      throw new TooManyHandlesError(
        `Agent "${id}" can have ${maxHandles} handles: none of these was taken, and what they reach is being destroyed`,
      );
    return change.agent;
  }

  /** See `Killswitch.completed` and `Killswitch.failed`. */
  async ended(agentId: string, error?: unknown): Promise<boolean> {
    const at = this.#host.clock.now();
    const event: Ending =
      error === undefined ? { type: 'completed', at } : { type: 'failed', at, error: describeError(error) };
    const agent = await this.#host.book.find(textInput('agentId', agentId));
    if (agent === undefined) throw new UnknownTargetError('agent', agentId);
    // Its first process may be gone and its descendants alive: as long as it is not seen dead it can be killed (I1).
    if (agent.status === 'running' && !(await isSeenDead(this.#host, agent, agent.handles))) {
      this.#doubtEnd(agent, event);
      return false;
    }
    return (await this.#end(agent, event)).status === event.type;
  }

  async #end({ agentId, handles }: Agent, event: Ending): Promise<Agent> {
    const change = await this.#host.book.change(agentId, { ...event, handles: handles.length });
    this.#carryOut(change);
    const { agent } = change;
    // It has got one more handle meanwhile, which has still to be seen dead.
    if (agent.status === 'running') this.#doubtEnd(agent, event);
    return agent;
  }

  #doubtEnd(agent: Agent, event: Ending): void {
    const known = this.#ending.get(agent.agentId)?.routes;
    const routes = known?.length === agent.handles.length ? known : this.#routesTo(agent);
    this.#ending.set(agent.agentId, { event, routes, isLooking: false });
  }

  /** Looks again at agents that are said to have ended but were seen alive. Waits for none: one that hangs delays nobody (I5). */
  settleEndings(): void {
    for (const [agentId, doubted] of this.#ending) {
      if (doubted.isLooking) continue;
      doubted.isLooking = true;
      const done = (): void => {
        doubted.isLooking = false;
      };
      // What fails now is tried again in the next round.
      this.#settleEnding(agentId, doubted).then(done, done);
    }
  }

  async #settleEnding(agentId: string, { event, routes }: Doubted): Promise<void> {
    const agent = await this.#host.book.find(agentId);
    if (agent?.status === 'running') {
      if (agent.handles.length > routes.length) {
        this.#doubtEnd(agent, event);
        return;
      }
      const seen = await Promise.all(routes.map((route) => route.look(lookMs)));
      const isDead = routes.length === agent.handles.length && seen.every(({ state }) => state === 'dead');
      if (!isDead) return;
    }
    this.#ending.delete(agentId);
    if (agent?.status === 'running') await this.#end(agent, { ...event, at: this.#host.clock.now() });
  }

  #routesTo({ agentId, handles }: Agent): Route[] {
    const { runtimes, clock } = this.#host;
    return handles.flatMap((handle) => {
      const runtime = runtimes.get(handle.runtime);
      return runtime === undefined ? [] : [new Route(agentId, handle, runtime, clock, () => undefined)];
    });
  }

  /** See {@link DoubtfulAdmissions.settle}. */
  settleDoubts(): Promise<void> {
    return this.#doubtful.settle();
  }

  #carryOut(change: Change): void {
    const { stops, cleanup } = this.#host;
    for (const effect of change.effects) {
      if (effect.type === 'destroy') void stops.destroy(change.agent, effect.handles);
      else stops.refresh(change.agent);
      if (effect.type === 'clean-up') void cleanup.run(change.agent);
    }
  }

  /** A child lives in its parent's workspace and belongs to its owner, so that a kill of the parent never crosses either (I11). */
  async #lineage({
    parentId,
    workspaceId,
    ownerId,
  }: Pick<Agent, 'parentId' | 'workspaceId' | 'ownerId'>): Promise<string[]> {
    if (parentId === undefined) return [];
    const parent = await this.#host.book.find(parentId);
    if (parent?.workspaceId !== workspaceId || parent.ownerId !== ownerId)
      throw new UnknownTargetError('agent', parentId);
    const lineage = [parentId, ...parent.lineage];
    if (lineage.length > maxLineage)
      throw new InvalidInputError('agent', [`parentId: more than ${maxLineage} generations`]);
    return lineage;
  }
}
