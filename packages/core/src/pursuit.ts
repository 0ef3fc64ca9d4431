import { type Agent, type Handle, isLive } from './agent.ts';
import { describeError } from './errors.ts';
import type { KillProgress, LifecycleEvent } from './lifecycle.ts';
import { Locating } from './locating.ts';
import type { Observation, Runtime } from './ports/runtime.ts';
import type { PursuitHost } from './pursuit-host.ts';
import { callMs, Route, type Rung, verdict } from './route.ts';
import { Urgencies } from './urgencies.ts';
import type { Urgency } from './urgency.ts';
import { atMost, Wake } from './wake.ts';

/** No look is cut shorter than this, however near the next rung is. */
const shortestLookMs = 20;
const lookMs = { first: 2, longest: 100, afterDeadline: 2_000 };
/** How often a demand is made again while the agent lives. */
const demandEveryMs = 500;
const maxErrors = 20;
const noTrace = 'its host was restarted before it had a handle, and no runtime finds a trace of it';

/**
 * The kill of one agent on this host: climbs the ladder over every route that reaches it from here, and looks until
 * death is observed, for ever if need be. It alone turns `killing` into `killed`, and only on an observation (I3).
 *
 * - asking: until `killAt`, the grace of a stop; the preferred route is told to stop.
 * - signalling: from `killAt`; the preferred route is told to kill.
 * - forcing: from `forceAt`; every route is told to force.
 * - unconfirmed: from `deadlineAt`; stored and reported once, then forcing goes on at a slower pace.
 * Left only by the death of the agent, or by the end of its host. A route that hangs or fails keeps none of this waiting (I5).
 */
export class Pursuit {
  /** Resolves with the agent once it is dead on record, or as it is when the host shuts down. Never rejects. */
  readonly done: Promise<Agent>;
  readonly #host: PursuitHost;
  readonly #wake: Wake;
  readonly #urgencies = new Urgencies();
  readonly #routes: Route[] = [];
  readonly #locating: Locating;
  readonly #errors = new Set<string>();
  #evidence = 'not looked at yet';
  #agent: Agent;
  #lastRung: Rung | undefined;
  #signalledAt: number | undefined;
  #forcedAt: number | undefined;
  #located = false;
  #stopped = false;

  constructor(host: PursuitHost, agent: Agent) {
    this.#host = host;
    this.#agent = agent;
    this.#wake = new Wake(host.clock);
    const found = (handle: Handle, runtime: Runtime): void => this.#add(handle, runtime);
    this.#locating = new Locating({ ...host, found, failed: (error) => this.#note(error) }, agent.agentId);
    this.#route(agent);
    this.done = this.#run();
  }

  /** The agent as stored, with what the ladder has done and seen since. */
  get agent(): Agent {
    if (this.#agent.status !== 'killing') return this.#agent;
    const { errors, ...times } = this.#progress();
    const kill = { ...this.#agent.kill, ...times, errors: [...errors], evidence: this.#evidence };
    return { ...this.#agent, kill };
  }

  /** Whether anything reaches the agent from here. */
  get hasRoute(): boolean {
    return this.#routes.length > 0;
  }

  /** Adds an order's deadlines. Given as a function, since an order's own deadlines can be shortened. */
  hurry(urgency: () => Urgency): void {
    this.#urgencies.add(urgency);
    this.#wake.wake();
  }

  /** It was told to die before, at this time. */
  wasSignalled(at: number): void {
    this.#signalledAt ??= at;
  }

  /** Ends the pursuit of an agent that may live, for a host that shuts down. */
  stop(): void {
    this.#stopped = true;
    this.#wake.wake();
  }

  /** Goes round now: a deadline may have come nearer. */
  hasten(): void {
    this.#wake.wake();
  }

  /** Takes note of what is stored: new handles, or that somebody else has seen it dead. */
  refresh(agent: Agent): void {
    // Nobody is dead and then alive: what is stored has not caught up, or the death was lost and is pursued anew.
    if (isOver(this.#agent)) return;
    // A copy that no store ever held may count as far as the store, or further: an end and new handles count all the same.
    const isNewer =
      agent.revision > this.#agent.revision || agent.handles.length > this.#agent.handles.length;
    if (!isNewer && !isOver(agent)) return;
    this.#agent = agent;
    this.#route(agent);
    this.#wake.wake();
  }

  async #run(): Promise<Agent> {
    let pause = lookMs.first;
    for (;;) {
      // A fault in here, even our own, must not end the pursuit of a living agent.
      try {
        if (this.#stopped || isOver(this.#agent)) return this.#agent;
        await this.#locate();
        const answered = this.#demand();
        // A runtime that answers at once is looked at in the same breath; one that hangs is looked at all the same.
        await atMost(this.#host.clock, pause, answered);
        const handles = this.#agent.handles.length;
        const seen = await this.#look();
        if (seen.state === 'dead') await this.#confirm(seen.evidence, handles);
        else await this.#report(seen.evidence);
        if (isOver(this.#agent)) return this.#agent;
      } catch (error) {
        this.#note(error);
      }
      pause = Math.min(pause * 2, this.#isOverdue() ? lookMs.afterDeadline : lookMs.longest);
      await this.#wake.sleep(this.#untilNext(pause));
    }
  }

  /** Tells the routes to kill or force, where that is due; resolves when the preferred one has answered. */
  #demand(): Promise<unknown> {
    const now = this.#host.clock.now();
    const rung = this.#urgencies.rung(now);
    const forcing = rung === 'force';
    const isNewRung = rung !== this.#lastRung;
    this.#lastRung = rung;
    const every = this.#isOverdue() ? lookMs.afterDeadline : demandEveryMs;
    const firstForce = forcing && this.#forcedAt === undefined && this.#routes.length > 0;
    if (firstForce) this.#forcedAt = now;
    const answers: Array<Promise<unknown>> = [];
    for (const route of forcing ? this.#routes : this.#routes.slice(0, 1)) {
      if (!isNewRung && now - route.demandedAt < every) continue;
      answers.push(route.tell(rung, this.#host.reason));
    }
    if (answers.length > 0 && this.#signalledAt === undefined) {
      this.#signalledAt = now;
      this.#host.took('signalled', this.#agent);
    }
    if (firstForce) this.#host.took('forced', this.#agent);
    return Promise.all(answers.slice(0, 1));
  }

  async #look(): Promise<Observation> {
    const ms = Math.max(shortestLookMs, this.#untilNext(callMs / 2));
    const seen = verdict(await Promise.all(this.#routes.map((route) => route.look(ms))));
    if (seen !== undefined) return seen;
    if (this.#located) return { state: 'dead', evidence: noTrace };
    return { state: 'unknown', evidence: this.#noRoute() };
  }

  /** An agent that this host admitted in an earlier life, and of which it died before it could say how to reach it, is looked for. */
  async #locate(): Promise<void> {
    const { hostId, startedAt, earlier } = this.#host;
    const { agentId, spawnedAt } = this.#agent;
    const isOfThisLife = spawnedAt >= startedAt && !earlier.has(agentId);
    if (this.#routes.length > 0 || this.#agent.hostId !== hostId || isOfThisLife) return;
    this.#located = (await this.#locating.ask()) && this.#routes.length === 0;
  }

  async #confirm(evidence: string, handles: number): Promise<void> {
    const at = this.#host.clock.now();
    await this.#store({ type: 'confirmed', at, progress: this.#progress(), evidence, handles });
  }

  async #report(evidence: string): Promise<void> {
    this.#evidence = evidence;
    const at = this.#host.clock.now();
    if (
      at < this.#urgencies.due.deadlineAt ||
      this.#agent.status !== 'killing' ||
      this.#agent.kill.unconfirmedAt !== undefined
    )
      return;
    await this.#store({ type: 'unconfirmed', at, progress: this.#progress(), evidence });
  }

  /** If the store fails, the loop looks again and tries again: nothing stale is stored. */
  async #store(event: Extract<LifecycleEvent, { type: 'confirmed' | 'unconfirmed' }>): Promise<void> {
    const change = await this.#host.book.change(this.#agent, event);
    this.refresh(change.agent);
    if (change.agent !== change.before) this.#host.took(event.type, change.agent);
  }

  #route(agent: Agent): void {
    for (const handle of agent.handles) {
      const runtime = this.#host.runtimes.get(handle.runtime);
      if (runtime === undefined || (runtime.reach === 'host' && agent.hostId !== this.#host.hostId)) continue;
      this.#add(handle, runtime);
    }
  }

  #add(handle: Handle, runtime: Runtime): void {
    const text = JSON.stringify(handle);
    if (this.#routes.some((route) => JSON.stringify(route.handle) === text)) return;
    const { agentId } = this.#agent;
    this.#routes.push(new Route(agentId, handle, runtime, this.#host.clock, (error) => this.#note(error)));
  }

  #note(error: unknown): void {
    if (this.#errors.size < maxErrors) this.#errors.add(describeError(error));
  }

  #noRoute(): string {
    return this.#agent.handles.length === 0
      ? `host ${this.#agent.hostId} is starting it and has not said how to reach it`
      : `no route reaches it from host ${this.#host.hostId}; host ${this.#agent.hostId} owns it`;
  }

  #isOverdue(): boolean {
    return this.#urgencies.areOver(this.#host.clock.now());
  }

  #untilNext(pause: number): number {
    return this.#urgencies.untilNext(this.#host.clock.now(), pause);
  }

  #progress(): KillProgress {
    return {
      ...(this.#signalledAt === undefined ? {} : { signalledAt: this.#signalledAt }),
      ...(this.#forcedAt === undefined ? {} : { forcedAt: this.#forcedAt }),
      errors: [...this.#errors],
    };
  }
}

/** Its record is closed. A function of its own, since the agent changes under the loop's awaits. */
function isOver(agent: Agent): boolean {
  return !isLive(agent);
}
