import {
  type Agent,
  InvalidInputError,
  type ListKey,
  listKeysOf,
  type Page,
  type PageRequest,
} from '@agent-killswitch/core';
import { StateRecordError, StateVersionError } from './errors.ts';
import type { Link } from './link.ts';
import { readList, readRecord } from './lua/reads.ts';
import type { Records } from './records.ts';

/** Most agents a page reads, whatever its limit: what is checked at once keeps the event loop for a few milliseconds. */
const mostAgents = 1_000;
/** Most records that one command reads. */
const mostAtOnce = 200;

/** Where a page begins, and the first agent of those before it whose record could not be read. */
interface Position {
  readonly after: string;
  readonly broken?: string;
}

/**
 * Pages of agents in two round trips each: who is listed, then their records. A record that cannot be read does not hide
 * the others: they are all listed first, and where the listing would have ended it rejects instead. So a sweep reaches
 * every other agent and still never finds its scope empty (I1).
 */
export class Pages {
  private readonly link: Link;
  private readonly records: Records;

  constructor(link: Link, records: Records) {
    this.link = link;
    this.records = records;
  }

  /** An agent stands on its own list by its record alone: only its descendants are on the one that is kept. */
  listed(key: ListKey, page: PageRequest): Promise<Page<Agent>> {
    const { keys } = this.link;
    const own = key.startsWith('agent:') ? key.slice('agent:'.length) : '';
    return this.page(keys.list(key), own, page, (agent) => listKeysOf(agent).includes(key));
  }

  inOrder(orderId: string, page: PageRequest): Promise<Page<Agent>> {
    return this.page(this.link.keys.claimed(orderId), '', page, () => true);
  }

  private async page(
    list: string,
    own: string,
    request: PageRequest,
    belongs: (agent: Agent) => boolean,
  ): Promise<Page<Agent>> {
    const { keys } = this.link;
    const start = positionOf(request);
    const limit = Math.min(request.limit, mostAgents);
    const asked = own !== '' && start.after === '0' ? [list, keys.agent(own)] : [list];
    const answer = await this.link.run(readList, asked, [start.after, String(limit)]);
    const [ownRecord, rows] = answer as [string | null, string[]];
    const reading = new Reading(this.records, belongs, start);
    if (ownRecord !== null) reading.take(own, ownRecord);
    // Its descendants were all admitted later; the last of them may have to wait for the next page.
    const listed = rowsOf(rows).slice(0, limit - reading.items.length);
    // In parts, all on their way at once: while one is checked, the server reads the next.
    const parts = Array.from({ length: Math.ceil(listed.length / mostAtOnce) }, (_, n) => {
      const part = listed.slice(n * mostAtOnce, (n + 1) * mostAtOnce);
      const reply = this.link.readMany(part.map(({ agentId }) => keys.agent(agentId)));
      // Whether it failed is seen when its turn comes.
      reply.catch(() => {});
      return { part, reply };
    });
    for (const { part, reply } of parts) {
      const raw = await reply;
      for (const [at, { agentId, seq }] of part.entries()) reading.take(agentId, raw[at] ?? '', seq);
    }
    const { items, after, broken } = reading;
    const isFull = rows.length / 2 === limit;
    if (isFull || (broken !== undefined && items.length > 0))
      return { items, cursor: cursorOf(after, broken) };
    if (broken === undefined) return { items };
    const record = await this.link.run(readRecord, [keys.agent(broken)], []);
    const repaired = this.records.agent(broken, (record as string | null) ?? '').record;
    return { items: belongs(repaired) ? [repaired] : [] };
  }
}

/** What a page has come to so far. */
class Reading {
  readonly items: Agent[] = [];
  after: string;
  broken: string | undefined;
  private readonly records: Records;
  private readonly belongs: (agent: Agent) => boolean;

  constructor(records: Records, belongs: (agent: Agent) => boolean, start: Position) {
    this.records = records;
    this.belongs = belongs;
    this.after = start.after;
    this.broken = start.broken;
  }

  take(agentId: string, raw: string, seq?: string): void {
    try {
      const stored = this.records.agent(agentId, raw);
      // It may have ended since it was listed.
      const isListed = this.belongs(stored.record);
      if (isListed) this.items.push(stored.record);
      if (seq === undefined && isListed) this.after = String(stored.seq);
    } catch (error) {
      if (!(error instanceof StateRecordError || error instanceof StateVersionError)) throw error;
      this.broken ??= agentId;
    }
    if (seq !== undefined) this.after = seq;
  }
}

function rowsOf(flat: readonly string[]): { readonly agentId: string; readonly seq: string }[] {
  const rows: { agentId: string; seq: string }[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2)
    rows.push({ agentId: flat[at] ?? '', seq: flat[at + 1] ?? '' });
  return rows;
}

function cursorOf(after: string, broken: string | undefined): string {
  return broken === undefined ? after : `${after}!${broken}`;
}

function positionOf({ cursor }: PageRequest): Position {
  if (cursor === undefined) return { after: '0' };
  const match = /^(\d{1,16})(?:!([^\s/]{1,128}))?$/.exec(cursor);
  if (match === null) throw new InvalidInputError('page', ['cursor: is not one that this store gave']);
  const [, after = '0', broken] = match;
  return broken === undefined ? { after } : { after, broken };
}
