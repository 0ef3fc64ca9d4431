import type { Agent, Handle } from './agent.ts';
import { agentKilled, agentUnconfirmed } from './audit-facts.ts';
import { type Gate, gateOf } from './gate.ts';
import { LateHandles } from './late-handles.ts';
import type { StopOrder } from './order.ts';
import { Placing, stopKey } from './placing.ts';
import { Pursuit } from './pursuit.ts';
import type { PursuitHost } from './pursuit-host.ts';
import { scopeKey, scopeKeysOf } from './scope.ts';
import { StopRun } from './stop-run.ts';
import type { Beginning, StopRunHost } from './stop-run-host.ts';

type Host = Omit<StopRunHost, 'pursue' | 'late' | 'runOf' | 'goOn'> & Omit<PursuitHost, 'took' | 'reason'>;

/** All stops under way on this host: one run per open order, one pursuit per agent, whichever orders it is under. */
export class Stops {
  readonly #host: Host;
  readonly #runs = new Map<string, StopRun>();
  /** Per stop the newest of the runs that began without the store. */
  readonly #unplaced = new Map<string, StopRun>();
  readonly #pursuits = new Map<string, Pursuit>();
  readonly #placing: Placing;
  readonly #late: LateHandles;

  constructor(host: Host) {
    this.#host = host;
    this.#late = new LateHandles({ ...host, gone: () => this.look() });
    this.#placing = new Placing({
      ...host,
      unplaced: (order) => this.#unplacedLike(order),
      begin: (order, beginning, met) => this.#runOf(order, beginning, met),
    });
  }

  get(orderId: string): StopRun | undefined {
    return this.#runs.get(orderId);
  }

  /** See {@link Placing.place}. */
  place(order: StopOrder): Promise<StopRun> {
    return this.#placing.place(order);
  }

  /** See {@link Placing.through}. */
  through(orderId: string): Promise<void> {
    return this.#placing.through(orderId);
  }

  /**
   * Starts a run for every open order that has none here: after a restart, or placed by another host. `met`: how many agents
   * of its own this host had met before it read them.
   */
  follow(orders: readonly StopOrder[], met: number): void {
    for (const order of orders) {
      if (!this.#placing.has(order.orderId)) this.#runOf(order, 'found', met).update(order);
    }
  }

  /** Tells every run that something may have changed. */
  look(): void {
    for (const run of this.#runs.values()) run.look();
  }

  /** Orders that stand here only, since the store could not take them yet. */
  unplaced(): StopOrder[] {
    return [...this.#runs.values()].filter((run) => !run.isPlaced).map((run) => run.order);
  }

  /** The store has lost its orders: those of this host stand here only until it takes them anew. */
  unplace(): void {
    for (const run of this.#runs.values()) if (run.unplace()) this.#unplaced.set(stopKey(run.order), run);
  }

  /** Every agent that the runs here deal with, as it is known here. */
  *agents(): Iterable<Agent> {
    for (const run of this.#runs.values()) yield* run.agents();
  }

  /** A gate that bars this agent but stands only here, since the store could not take its order yet (I1). */
  unplacedGate(agent: Agent): Gate | undefined {
    const keys = scopeKeysOf(agent);
    for (const run of this.#runs.values()) {
      if (!run.isPlaced && keys.includes(scopeKey(run.order.scope))) return gateOf(run.order);
    }
    return undefined;
  }

  /** The runs whose gates in the store bar this agent, as far as this host knows. */
  barring(agent: Agent): StopRun[] {
    const keys = scopeKeysOf(agent);
    return [...this.#runs.values()].filter((run) => run.isPlaced && keys.includes(scopeKey(run.order.scope)));
  }

  /** Gives a pursuit the newest copy of its agent, for example with a handle that came late, or dead since it never ran. */
  refresh(agent: Agent): void {
    this.#pursuits.get(agent.agentId)?.refresh(agent);
  }

  /** See {@link LateHandles}. */
  destroy(agent: Agent, handles: readonly Handle[]): Promise<void> {
    return this.#late.destroy(agent, handles);
  }

  /** What is known to live of agents whose record is closed, under an order if it is given, one sentence each. */
  late(order?: StopOrder): string[] {
    return this.#late.named(order);
  }

  /** Ends all runs here; their orders stay open. */
  stop(): void {
    for (const run of this.#runs.values()) run.stop();
    for (const pursuit of this.#pursuits.values()) pursuit.stop();
    this.#late.stop();
  }

  #unplacedLike(order: StopOrder): StopRun | undefined {
    const run = this.#unplaced.get(stopKey(order));
    return run?.isPlaced === false ? run : undefined;
  }

  #runOf(order: StopOrder, beginning: Beginning, met?: number): StopRun {
    const known = this.#runs.get(order.orderId);
    if (known !== undefined) return known;
    const run = new StopRun(
      {
        ...this.#host,
        pursue: (agent, by) => this.#pursue(agent, by),
        late: (version) => [...this.late(version), ...this.#host.leases.awaited().map(unheard)],
        runOf: ({ orderId }) => this.#runs.get(orderId),
        goOn: (taken) => void this.#runOf(taken, 'unplaced'),
      },
      order,
      beginning,
      met,
    );
    this.#runs.set(order.orderId, run);
    if (beginning === 'unplaced') this.#unplaced.set(stopKey(order), run);
    void run.over.then(() => {
      this.#runs.delete(order.orderId);
      if (this.#unplaced.get(stopKey(order)) === run) this.#unplaced.delete(stopKey(order));
    });
    return run;
  }

  #pursue(agent: Agent, run: StopRun): Pursuit {
    let pursuit = this.#pursuits.get(agent.agentId);
    if (pursuit === undefined) {
      const { hostId } = this.#host;
      let isTold = false;
      const took: PursuitHost['took'] = (step, changed) => {
        const claimant = 'kill' in changed ? (this.#claimantOf(changed.kill.orderIds) ?? run) : run;
        if (step === 'confirmed') isTold = true;
        if ('kill' in changed && step === 'confirmed')
          claimant.record(agentKilled(claimant.order, changed, hostId));
        if ('kill' in changed && step === 'unconfirmed')
          claimant.record(agentUnconfirmed(claimant.order, changed, hostId));
        claimant.step(step, changed.agentId);
      };
      pursuit = new Pursuit({ ...this.#host, reason: run.order.reason, took }, agent);
      this.#pursuits.set(agent.agentId, pursuit);
      void pursuit.done.then((ended) => {
        this.#pursuits.delete(agent.agentId);
        // Who never ran is dead by the word of its host, which need not know of the order: nobody else puts that on record.
        if (ended.status === 'killed' && ended.handles.length === 0 && !isTold) took('confirmed', ended);
      });
    }
    pursuit.hurry(() => run.urgency);
    return pursuit;
  }

  #claimantOf(orderIds: readonly string[]): StopRun | undefined {
    for (const orderId of orderIds) {
      const run = this.#runs.get(orderId);
      if (run !== undefined) return run;
    }
    return undefined;
  }
}

function unheard(hostId: string): string {
  return `Host "${hostId}" has not been heard of since the state store lost its state: what it runs is not known`;
}
