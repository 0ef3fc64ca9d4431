import { type Agent, isLive, listKeysOf } from '../agent.ts';
import { InvalidInputError } from '../errors.ts';
import type { Page, PageRequest } from '../ports/state-store.ts';
import type { ListKey } from '../scope.ts';
import { frozenAgent } from './frozen.ts';
import { SequenceIndex } from './sequence-index.ts';

/** The agents under one key, by sequence number. */
interface List {
  readonly key: ListKey;
  readonly index: SequenceIndex;
}

/** Every agent that was ever admitted, under the keys by which it is listed now, and under the orders that claimed it. */
export class MemoryAgents {
  /** Position = admission sequence number, the cursor of `list`. */
  private readonly agents: Agent[] = [];
  private readonly seqOf = new Map<string, number>();
  private readonly listed = new Map<ListKey, List>();
  /** Per agent the lists it is on, so that taking it off them costs no more than that. */
  private readonly listsOf: Array<readonly List[]> = [];
  /** Per order the agents that it claimed or joined, in that order; the position is the cursor of `listOrder`. */
  private readonly claimed = new Map<string, number[]>();

  has(agentId: string): boolean {
    return this.seqOf.has(agentId);
  }

  get(agentId: string): Agent | undefined {
    const seq = this.seqOf.get(agentId);
    return seq === undefined ? undefined : this.agents[seq];
  }

  add(agent: Agent): void {
    const seq = this.agents.push(frozenAgent(agent)) - 1;
    this.seqOf.set(agent.agentId, seq);
    this.relist(agent, seq);
  }

  /** Stores an agent over the revision before its own. `false`: another one is stored. */
  swap(next: Agent): boolean {
    const seq = this.seqOf.get(next.agentId);
    const stored = seq === undefined ? undefined : this.agents[seq];
    if (seq === undefined || stored?.revision !== next.revision - 1) return false;
    this.agents[seq] = frozenAgent(next, stored);
    // While it lives its keys do not change.
    if (!isLive(next) || !isLive(stored)) this.relist(next, seq);
    const before = orderIdsOf(stored);
    for (const orderId of orderIdsOf(next)) {
      if (before.includes(orderId)) continue;
      const claimed = this.claimed.get(orderId);
      if (claimed === undefined) this.claimed.set(orderId, [seq]);
      else claimed.push(seq);
    }
    return true;
  }

  /** See `StateStore.listAgents`. @throws InvalidInputError */
  list(key: ListKey, page: PageRequest): Page<Agent> {
    const after = positionAfter(page);
    const seqs = this.listed.get(key)?.index.after(after, page.limit) ?? [];
    const own = key.startsWith('agent:') ? this.seqOf.get(key.slice('agent:'.length)) : undefined;
    // Before its descendants, who were all admitted later.
    if (own !== undefined && own > after && this.isLiveAt(own)) seqs.unshift(own);
    if (seqs.length > page.limit) seqs.pop();
    return this.pageOf(seqs, seqs.length < page.limit ? undefined : seqs.at(-1));
  }

  /** See `StateStore.listOrder`. @throws InvalidInputError */
  listOrder(orderId: string, page: PageRequest): Page<Agent> {
    const claimed = this.claimed.get(orderId) ?? [];
    const start = positionAfter(page) + 1;
    const end = start + page.limit;
    return this.pageOf(claimed.slice(start, end), end < claimed.length ? end - 1 : undefined);
  }

  private pageOf(seqs: readonly number[], last: number | undefined): Page<Agent> {
    const items = seqs.flatMap((seq) => this.agents[seq] ?? []);
    return last === undefined ? { items } : { items, cursor: String(last) };
  }

  /** Takes the agent at `seq` off the lists it was on, and puts it on those it belongs to now. */
  private relist(agent: Agent, seq: number): void {
    for (const { key, index } of this.listsOf[seq] ?? []) {
      index.forget();
      if (index.size === 0) this.listed.delete(key);
    }
    const keys = listKeysOf(agent);
    if (keys.length === 0) {
      this.listsOf[seq] = nowhere;
      return;
    }
    // An agent is found on its own list without an index: it is the first there, and most often the only one.
    const ownKey = `agent:${agent.agentId}`;
    const lists = keys.filter((key) => key !== ownKey).map((key) => this.listUnder(key));
    for (const { index } of lists) index.add(seq);
    this.listsOf[seq] = lists;
  }

  private listUnder(key: ListKey): List {
    const known = this.listed.get(key);
    if (known !== undefined) return known;
    const isOfLiving = !key.startsWith('cleanup:');
    const belongs = isOfLiving
      ? (seq: number) => this.isLiveAt(seq)
      : (seq: number) => this.isListed(seq, key);
    const list = { key, index: new SequenceIndex(belongs) };
    this.listed.set(key, list);
    return list;
  }

  /** A live agent's keys never change, so on a list of the living this is all there is to ask. */
  private isLiveAt(seq: number): boolean {
    const agent = this.agents[seq];
    return agent !== undefined && isLive(agent);
  }

  private isListed(seq: number, key: ListKey): boolean {
    const agent = this.agents[seq];
    return agent !== undefined && listKeysOf(agent).includes(key);
  }
}

const nowhere: readonly List[] = [];

function orderIdsOf(agent: Agent): readonly string[] {
  return agent.status === 'killing' || agent.status === 'killed' ? agent.kill.orderIds : [];
}

function positionAfter({ cursor }: PageRequest): number {
  if (cursor === undefined) return -1;
  const position = Number(cursor);
  if (!Number.isSafeInteger(position)) {
    throw new InvalidInputError('page', ['cursor: is not one that this store gave']);
  }
  return position;
}
