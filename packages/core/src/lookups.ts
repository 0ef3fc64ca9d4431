import type { Agent, Task } from './agent.ts';
import type { Book } from './book.ts';
import { isKillswitchError, UnknownTargetError } from './errors.ts';
import { gateOf } from './gate.ts';
import { type GateOverview, overviewOf } from './gate-overview.ts';
import { textInput } from './input.ts';
import type { KillswitchStatus } from './killswitch.ts';
import type { Leases } from './leases.ts';
import type { OrderReport, StopOrder } from './order.ts';
import { membersOf, reportOf } from './order-report.ts';
import { pageOf } from './pages.ts';
import type { Clock } from './ports/clock.ts';
import type { Page, PageRequest, StateStore } from './ports/state-store.ts';
import type { Recorder } from './recorder.ts';
import type { ListKey } from './scope.ts';
import type { Stops } from './stops.ts';

/** Most gates that a status shows. */
const mostGates = 1_000;

export interface LookupsHost {
  readonly clock: Clock;
  readonly book: Book;
  readonly leases: Leases;
  readonly stops: Stops;
  readonly recorder: Pick<Recorder, 'degraded'>;
}

/** What can be asked of a killswitch without any effect. Whatever is answered is the asker's own copy. */
export class Lookups {
  readonly #host: LookupsHost;

  constructor(host: LookupsHost) {
    this.#host = host;
  }

  /** See `Killswitch.order`. */
  async order(orderId: string): Promise<StopOrder> {
    return structuredClone(await this.#order(orderId));
  }

  /** See `Killswitch.report`. */
  async report(orderId: string): Promise<OrderReport> {
    const { stops, book, clock } = this.#host;
    const run = stops.get(textInput('orderId', orderId));
    if (run !== undefined) return run.report();
    const ended = await this.#order(orderId);
    const agents: Agent[] = [];
    for await (const page of membersOf(book, orderId)) agents.push(...page);
    // It may have settled before a handle came that nobody knew of.
    return reportOf(ended, agents, clock.now(), { late: stops.late(ended) });
  }

  /** See `Killswitch.agent`. */
  async agent(agentId: string): Promise<Agent> {
    const found = await this.#host.book.find(textInput('agentId', agentId));
    if (found === undefined) throw new UnknownTargetError('agent', agentId);
    return structuredClone(found);
  }

  /** See `Killswitch.task`. */
  async task(taskId: string): Promise<Task> {
    const found = await this.#host.book.findTask(textInput('taskId', taskId));
    if (found === undefined) throw new UnknownTargetError('task', taskId);
    return structuredClone(found);
  }

  /** See `Killswitch.list` and `Killswitch.listHost`. */
  async list(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    return structuredClone(await this.#host.book.listAgents(key, pageOf(page)).catch(blameCursor));
  }

  /** See `Killswitch.status`. */
  async status(): Promise<KillswitchStatus> {
    const { book, stops, leases, recorder } = this.#host;
    const here = stops.unplaced();
    const openOrders = await book
      .ask('listing open orders', (store) => store.listOpenOrders())
      .catch(orNothing(here));
    // After a call that shows whether the store answers at all.
    const { gates, count } = await book
      .askAtLength('listing gates', gateOverviewOf)
      .catch((error) => overviewOf(orNothing(here)(error), mostGates));
    return structuredClone({
      gates: [...gates, ...here.map(gateOf)],
      gateCount: count + here.length,
      openOrders: [...openOrders, ...here],
      lostHosts: leases.lost(),
      auditDegraded: recorder.degraded,
    });
  }

  async #order(orderId: string): Promise<StopOrder> {
    const { stops, book } = this.#host;
    const here = stops.get(textInput('orderId', orderId))?.order;
    const found = here ?? (await book.ask('reading an order', (store) => store.getOrder(orderId)));
    if (found === undefined) throw new UnknownTargetError('order', orderId);
    return found;
  }
}

/** A cursor that the store never gave is the caller's fault, not the store's. */
function blameCursor(error: unknown): never {
  const cause = isKillswitchError(error, 'state-unavailable') ? error.cause : undefined;
  throw isKillswitchError(cause, 'invalid-input') ? cause : error;
}

async function gateOverviewOf(store: StateStore): Promise<GateOverview> {
  return store.gateOverview?.(mostGates) ?? overviewOf(await store.listGates(), mostGates);
}

/** A stop that stands in this host's memory only must be seen, and the more so while the store cannot be read. */
function orNothing(here: readonly StopOrder[]): (error: unknown) => never[] {
  return (error) => {
    if (here.length === 0) throw error;
    return [];
  };
}
