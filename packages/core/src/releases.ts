import { z } from 'zod';
import { iso } from './audit-event.ts';
import { gateReleased } from './audit-facts.ts';
import { AuditUnavailableError, StateUnavailableError, StoppedAgainError } from './errors.ts';
import type { Gate } from './gate.ts';
import type { Guard, GuardHost } from './guard.ts';
import { ulid } from './ids.ts';
import { parseInput } from './input.ts';
import type { StopOrder } from './order.ts';
import { actorOf } from './principal.ts';
import type { Approval } from './release.ts';
import { type Request, requestSchema } from './request.ts';
import { type Scope, scopeKey, scopeSchema } from './scope.ts';
import type { Stops } from './stops.ts';
import { claimAll } from './sweep.ts';
import { type ReleaseRequested, tellReleases } from './tell-releases.ts';

const recordMs = 2_000;
const maxDoubtful = 100;
/** A release that was never answered is looked for this long. */
const doubtMs = 60_000;

/** What became of a request to release. */
export interface ReleaseReport {
  readonly releaseId: string;
  readonly scope: Scope;
  /** `false`: not enough people have approved yet, and everything is still shut. */
  readonly released: boolean;
  /** The gates that were opened, or wait for more approvals; none if none stood. Nothing was restarted. */
  readonly gates: readonly Gate[];
  /** Who has approved, this request included. */
  readonly approvals: readonly Approval[];
  /** How many different people have to. */
  readonly needed: number;
}

export interface ReleaseHost extends GuardHost {
  readonly guard: Guard;
  readonly stops: Stops;
  /** How many different people have to approve a release. */
  readonly approvals: number;
}

const releasableSchema = z.union(
  [
    z.strictObject({ workspace: z.string() }),
    z.strictObject({ backend: z.string() }),
    z.strictObject({ everything: z.literal(true) }),
  ],
  'must have exactly one of workspace, backend and everything: agents and tasks stay stopped for good',
);

/**
 * Opens gates, for people with the permission, and only those gates that stood when they asked: a stop that comes while
 * a release is on its way stays shut.
 */
export class Releases {
  readonly #host: ReleaseHost;
  #doubtful: ReleaseRequested[] = [];

  constructor(host: ReleaseHost) {
    this.#host = host;
  }

  /** See `Killswitch.release`. */
  async release(scopeInput: Scope, input: Request): Promise<ReleaseReport> {
    const { guard, clock, randomBytes, recorder, hostId } = this.#host;
    parseInput('scope', releasableSchema, scopeInput);
    const scope = parseInput('scope', scopeSchema, scopeInput);
    const { principal, reason } = parseInput('request', requestSchema, input);
    const workspace = 'workspace' in scope ? { workspaceId: scope.workspace } : {};
    const decision = await guard.demand({ principal, action: 'release', scope, ...workspace }, reason);
    this.#refuseUnplaced(scope);
    const gates = await this.#standing(scope);
    // A stop that is on its way here, and that the store shows already: if it has not answered, this host keeps its gate.
    await Promise.all(gates.map(({ orderId }) => this.#host.stops.through(orderId)));
    this.#refuseUnplaced(scope);
    const orders = await this.#ordersOf(gates);
    const at = clock.now();
    const orderIds = gates.map((gate) => gate.orderId).sort();
    const releaseId = `rel_${ulid(at, randomBytes)}`;
    const actor = actorOf(principal);
    const requested = {
      id: ulid(at, randomBytes),
      version: 1 as const,
      time: iso(at),
      hostId,
      ...workspace,
      type: 'release.requested' as const,
      releaseId,
      scope,
      principal: actor,
      reason,
      policyVersion: decision.policyVersion,
      orderIds,
    };
    if (!recorder.record(requested) || !(await recorder.flush(recordMs))) {
      throw new AuditUnavailableError(
        'Not released: the audit record cannot be written. Restore the audit sink and release again',
      );
    }
    const approval = { orderIds: approvedOf(orderIds, orders), principal: actor, reason, at };
    const approvals = (await this.#approve(approval)).map((each) => ({ ...each, orderIds }));
    const needed = this.#host.approvals;
    const report = { releaseId, scope, gates, approvals, needed };
    if (orderIds.length > 0 && approvals.length < needed) return { ...report, released: false };
    const approvedBy = approvals.map((each) => each.principal);
    const asked = { at, principal: actor, reason };
    const ended = new Set<string>();
    for (const order of orders)
      if (await this.#end(order, { releaseId, at: clock.now(), approvedBy, request: asked }))
        ended.add(order.orderId);
    const open = orderIds.length === 0 ? [] : await this.#open(requested);
    // Another release on its way may have opened what this one has ended, before this one could.
    for (const { orderId } of open) ended.add(orderId);
    const opened = gates.filter((gate) => ended.has(gate.orderId));
    if (opened.length > 0) {
      const ids = opened.map((gate) => gate.orderId);
      if (!recorder.record(gateReleased(requested, clock.now(), ids, approvedBy))) this.#doubt(requested);
      await recorder.flush(recordMs);
    }
    return { ...report, gates: opened, released: true };
  }

  /** With one approval needed, the request is all there is to it. */
  async #approve(approval: Approval): Promise<readonly Approval[]> {
    if (this.#host.approvals === 1 || approval.orderIds.length === 0) return [approval];
    return this.#host.book.ask('approving a release', (store) => store.approve(approval));
  }

  async #open(requested: ReleaseRequested): Promise<readonly Gate[]> {
    try {
      return await this.#host.book.ask('releasing', (store) => store.release(requested.orderIds));
    } catch (error) {
      // Without an answer the gates may be open all the same.
      this.#doubt(requested);
      throw error;
    }
  }

  #doubt(requested: ReleaseRequested): void {
    this.#doubtful = [...this.#doubtful, requested].slice(-maxDoubtful);
  }

  /** Looks what became of releases that the store never answered, and puts those on record that opened their gates (I4). */
  async settleDoubts(): Promise<void> {
    const told = await tellReleases(this.#host, this.#doubtful, new Set());
    const { clock } = this.#host;
    this.#doubtful = this.#doubtful.filter(
      ({ releaseId, time }) => !told.includes(releaseId) && clock.now() - Date.parse(time) < doubtMs,
    );
  }

  /**
   * Before its gate opens, an order that is still open claims everybody in its scope, and is then told to claim nobody
   * new: who comes later was let in, who was there before still dies (I1, I9). Whoever joins such an order stores it
   * anew, so that the release sees it. `false`: another release has ended it, whose gate may be open since; nobody joins
   * what a release has ended, so the first one's word on it is never out of date, and no later one writes over it (I4).
   */
  async #end(asked: StopOrder, released: NonNullable<StopOrder['released']>): Promise<boolean> {
    const { book } = this.#host;
    for (let order = asked; ; ) {
      if (order.released !== undefined) return order.released.releaseId === released.releaseId;
      if (order.settledAt === undefined) await claimAll(book, order);
      const revision = order.revision + 1;
      const marked = { ...order, revision, released };
      if (await book.ask('marking an order as released', (store) => store.swapOrder(marked))) return true;
      const now = await book.ask('reading an order', (store) => store.getOrder(order.orderId));
      if (now === undefined) return false;
      if (now.released !== undefined) return now.released.releaseId === released.releaseId;
      const hasJustSettled = order.settledAt === undefined && now.settledAt !== undefined;
      if (!hasJustSettled || now.revision !== revision)
        throw new StoppedAgainError(
          `Not released: order "${order.orderId}" was asked for again in the meantime. Look at it and release again`,
        );
      order = now;
    }
  }

  async #ordersOf(gates: readonly Gate[]): Promise<StopOrder[]> {
    const orders: StopOrder[] = [];
    for (const { orderId } of gates) {
      const order = await this.#host.book.ask('reading an order', (store) => store.getOrder(orderId));
      if (order !== undefined) orders.push(order);
    }
    return orders;
  }

  /** A stop that the state store could not take yet stands on this host alone, and the store knows of nothing to open. */
  #refuseUnplaced(scope: Scope): void {
    const key = scopeKey(scope);
    const order = this.#host.stops.unplaced().find((each) => scopeKey(each.scope) === key);
    if (order === undefined) return;
    throw new StateUnavailableError(
      `Not released: stop order "${order.orderId}" is not in the state store yet. Restore that and release again`,
    );
  }

  async #standing(scope: Scope): Promise<readonly Gate[]> {
    const key = scopeKey(scope);
    const gates = await this.#host.book.ask('listing gates', (store) => store.listGates(key));
    return gates.filter((gate) => gate.opens === 'on-release' && scopeKey(gate.scope) === key);
  }
}

/**
 * What an approval names: the orders, and of each that was joined by how many stops, so that it is another one than those
 * that were given before somebody stopped anew, and can be given by the same people.
 */
function approvedOf(orderIds: readonly string[], orders: readonly StopOrder[]): string[] {
  const joined = orders.flatMap(({ orderId, joins }) => (joins === undefined ? [] : [`${orderId}+${joins}`]));
  return [...orderIds, ...joined].sort();
}
