import type { Agent, Handle } from './agent.ts';
import type { Book } from './book.ts';
import { withDeadline } from './deadline.ts';
import { describeError } from './errors.ts';
import type { KillProgress, LifecycleEvent } from './lifecycle.ts';
import type { Clock } from './ports/clock.ts';
import type { Observation, Runtime } from './ports/runtime.ts';
import { Wake } from './wake.ts';

/** One demand on a runtime gets this long before it counts as unanswered, one look half of it. */
const callMs = 1_000;
/** How many calls of one kind may be left unanswered on a route; more come only every half minute (I12). */
const maxUnanswered = 3;
const unansweredEveryMs = 30_000;
/** No look is cut shorter than this, however near the next rung is. */
const shortestLookMs = 20;
const lookMs = { first: 2, longest: 100, afterDeadline: 2_000 };
/** How often a demand is made again while the agent lives. */
const demandEveryMs = 500;

/** When the ladder's next rung and the report are due. Orders that join can only bring them nearer (I7). */
export interface Urgency {
  readonly killAt: number;
  readonly forceAt: number;
  readonly deadlineAt: number;
}

export interface PursuitHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  /** When this killswitch was started: an agent admitted before under this host id is from an earlier life of the host. */
  readonly startedAt: number;
  /** Called after a rung was taken or an outcome stored; must not throw. */
  readonly took: (step: 'signalled' | 'forced' | 'unconfirmed' | 'confirmed', agent: Agent) => void;
}

type Call = 'stop' | 'kill' | 'force' | 'inspect' | 'locate';

interface Route {
  readonly handle: Handle;
  readonly runtime: Runtime;
  demandedAt: number;
  /** Per kind of call: how many have never come back, and when the last one was made. */
  readonly calls: Map<Call, { unanswered: number; at: number }>;
}

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
  readonly #urgencies = new Set<() => Urgency>();
  readonly #routes: Route[] = [];
  readonly #errors = new Set<string>();
  #evidence = 'not looked at yet';
  #agent: Agent;
  #lastRung: 'stop' | 'kill' | 'force' | undefined;
  #signalledAt: number | undefined;
  #forcedAt: number | undefined;
  #located = false;
  #stopped = false;

  constructor(host: PursuitHost, agent: Agent) {
    this.#host = host;
    this.#agent = agent;
    this.#wake = new Wake(host.clock);
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
    if (agent.revision <= this.#agent.revision) return;
    this.#agent = agent;
    this.#route(agent);
    this.#wake.wake();
  }

  async #run(): Promise<Agent> {
    let pause = lookMs.first;
    for (;;) {
      // A fault in here, even our own, must not end the pursuit of a living agent.
      try {
        if (this.#stopped || isDead(this.#agent)) return this.#agent;
        await this.#locate();
        const answered = this.#demand();
        // A runtime that answers at once is looked at in the same breath; one that hangs is looked at all the same.
        await this.#within(pause, answered);
        const handles = this.#agent.handles.length;
        const seen = await this.#look();
        if (seen.state === 'dead') await this.#confirm(seen.evidence, handles);
        else await this.#report(seen.evidence);
        if (isDead(this.#agent)) return this.#agent;
      } catch (error) {
        if (this.#errors.size < 20) this.#errors.add(describeError(error));
      }
      const overdue = this.#host.clock.now() >= this.#due().deadlineAt;
      pause = Math.min(pause * 2, overdue ? lookMs.afterDeadline : lookMs.longest);
      await this.#wake.sleep(this.#untilNext(pause));
    }
  }

  /** Tells the routes to kill or force, where that is due; resolves when the preferred one has answered. */
  #demand(): Promise<unknown> {
    const now = this.#host.clock.now();
    const rung = this.#rung(now);
    const forcing = rung === 'force';
    const isNewRung = rung !== this.#lastRung;
    this.#lastRung = rung;
    const every = now >= this.#due().deadlineAt ? lookMs.afterDeadline : demandEveryMs;
    const firstForce = forcing && this.#forcedAt === undefined && this.#routes.length > 0;
    if (firstForce) this.#forcedAt = now;
    const answers: Array<Promise<unknown>> = [];
    for (const route of forcing ? this.#routes : this.#routes.slice(0, 1)) {
      if (!isNewRung && now - route.demandedAt < every) continue;
      route.demandedAt = now;
      answers.push(this.#tell(route, rung));
    }
    if (answers.length > 0 && this.#signalledAt === undefined) {
      this.#signalledAt = now;
      this.#host.took('signalled', this.#agent);
    }
    if (firstForce) this.#host.took('forced', this.#agent);
    return Promise.all(answers.slice(0, 1));
  }

  #rung(now: number): 'stop' | 'kill' | 'force' {
    const { killAt, forceAt } = this.#due();
    return now >= forceAt ? 'force' : now >= killAt ? 'kill' : 'stop';
  }

  #tell(route: Route, rung: 'stop' | 'kill' | 'force'): Promise<unknown> {
    const { runtime, handle } = route;
    if (rung === 'stop')
      return this.#call(route, 'stop', callMs, async (context) => runtime.stop?.(handle, context));
    if (rung === 'force' && runtime.canForce) {
      return this.#call(route, 'force', callMs, (context) => runtime.force(handle, context));
    }
    return this.#call(route, 'kill', callMs, (context) => runtime.kill(handle, context));
  }

  /** Dead if some route sees it dead and none sees it alive. */
  async #look(): Promise<Observation> {
    const ms = Math.max(shortestLookMs, this.#untilNext(callMs / 2));
    const seen = await Promise.all(this.#routes.map((route) => this.#inspect(route, ms)));
    const alive = seen.find((each) => each.state === 'alive');
    if (alive !== undefined) return alive;
    const dead = seen.filter((each) => each.state === 'dead');
    if (dead.length > 0) return { state: 'dead', evidence: evidenceOf(dead) };
    if (seen.length > 0) return { state: 'unknown', evidence: evidenceOf(seen) };
    if (this.#located)
      return {
        state: 'dead',
        evidence: 'its host was restarted before it had a handle, and no runtime finds a trace of it',
      };
    return { state: 'unknown', evidence: this.#noRoute() };
  }

  async #inspect(route: Route, ms: number): Promise<Observation> {
    const { runtime, handle } = route;
    const seen = await this.#call(route, 'inspect', ms, async (context) =>
      observed(await runtime.inspect(handle, context)),
    );
    return seen ?? { state: 'unknown', evidence: `${handle.runtime} did not say whether it lives` };
  }

  /** One call on a route, bounded and contained: `undefined` if it failed, hung, or too many like it still hang. */
  async #call<T>(
    route: Route,
    kind: Call,
    ms: number,
    make: (context: { agentId: string; signal: AbortSignal }) => Promise<T>,
  ): Promise<T | undefined> {
    const now = this.#host.clock.now();
    const calls = route.calls.get(kind) ?? { unanswered: 0, at: now };
    route.calls.set(kind, calls);
    if (calls.unanswered >= maxUnanswered && now - calls.at < unansweredEveryMs) return undefined;
    calls.unanswered += 1;
    calls.at = now;
    const answered = (): void => {
      calls.unanswered -= 1;
    };
    try {
      return await withDeadline(this.#host.clock, `${kind} by ${route.handle.runtime}`, ms, (signal) => {
        const running = (async () => make({ agentId: this.#agent.agentId, signal }))();
        running.then(answered, answered);
        return running;
      });
    } catch (error) {
      if (this.#errors.size < 20) this.#errors.add(describeError(error));
      return undefined;
    }
  }

  /**
   * For an agent that this host admitted in an earlier life and died before it could say how to reach it: asks the
   * runtimes of this host. Only if every one of them can tell does finding nothing mean anything.
   */
  async #locate(): Promise<void> {
    const { hostId, startedAt, runtimes, clock } = this.#host;
    if (this.#routes.length > 0 || this.#agent.hostId !== hostId || this.#agent.spawnedAt >= startedAt)
      return;
    this.#located = false;
    let complete = true;
    for (const [name, runtime] of runtimes) {
      const locate = runtime.locate?.bind(runtime);
      if (locate === undefined) {
        complete = complete && runtime.reach === 'host';
        continue;
      }
      const { agentId } = this.#agent;
      const handles = await withDeadline(clock, `location by ${name}`, callMs, (signal) =>
        locate(agentId, { agentId, signal }),
      );
      for (const handle of handles) this.#add(handle, runtime);
    }
    this.#located = complete && this.#routes.length === 0;
  }

  async #confirm(evidence: string, handles: number): Promise<void> {
    const at = this.#host.clock.now();
    await this.#store({ type: 'confirmed', at, progress: this.#progress(), evidence, handles });
  }

  async #report(evidence: string): Promise<void> {
    this.#evidence = evidence;
    const at = this.#host.clock.now();
    if (
      at < this.#due().deadlineAt ||
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
    this.#routes.push({ handle, runtime, demandedAt: Number.NEGATIVE_INFINITY, calls: new Map() });
  }

  #noRoute(): string {
    return this.#agent.handles.length === 0
      ? `host ${this.#agent.hostId} is starting it and has not said how to reach it`
      : `no route reaches it from host ${this.#host.hostId}; host ${this.#agent.hostId} owns it`;
  }

  #due(): Urgency {
    const never = Number.POSITIVE_INFINITY;
    let due: Urgency = { killAt: never, forceAt: never, deadlineAt: never };
    for (const urgency of this.#urgencies) due = nearest(due, urgency());
    return due;
  }

  #untilNext(pause: number): number {
    const now = this.#host.clock.now();
    const due = this.#due();
    const boundaries = [due.killAt, due.forceAt, due.deadlineAt].filter((at) => at > now);
    return Math.min(pause, ...boundaries.map((at) => at - now));
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#host.clock.setTimer(ms, resolve);
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #progress(): KillProgress {
    return {
      ...(this.#signalledAt === undefined ? {} : { signalledAt: this.#signalledAt }),
      ...(this.#forcedAt === undefined ? {} : { forcedAt: this.#forcedAt }),
      errors: [...this.#errors],
    };
  }
}

/** A copy of what a runtime says, so that whatever it hands over is read once, here, where a fault is contained. */
function observed({ state, evidence }: Observation): Observation {
  const isKnown = state === 'alive' || state === 'dead';
  return { state: isKnown ? state : 'unknown', evidence: String(evidence).slice(0, 500) };
}

/** A function of its own, since the agent changes under the loop's awaits. */
function isDead(agent: Agent): boolean {
  return agent.status === 'killed';
}

/** Of two sets of deadlines the nearer ones: a second order can only harden (I7). */
export function nearest(a: Urgency, b: Urgency): Urgency {
  return {
    killAt: Math.min(a.killAt, b.killAt),
    forceAt: Math.min(a.forceAt, b.forceAt),
    deadlineAt: Math.min(a.deadlineAt, b.deadlineAt),
  };
}

function evidenceOf(seen: readonly Observation[]): string {
  return seen
    .map((each) => each.evidence)
    .join('; ')
    .slice(0, 1_000);
}
