import {
  type Agent,
  idSchema,
  isKillswitchError,
  type Killswitch,
  type Page,
  parseInput,
  type StopOrder,
} from '@agent-killswitch/core';
import { z } from 'zod';
import { askStore } from './checkpoints.ts';
import { type Session, sessionOf } from './session.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';

const querySchema = z.strictObject({
  /** At most this many, 1 to 1,000. Default 100. */
  limit: z.number().int().min(1).max(1_000).default(100),
  /** Where the previous page ended. */
  cursor: z
    .string()
    .regex(/^\d{15}:/, 'must be one that a listing gave')
    .optional(),
  /** Only those of this workspace. */
  workspaceId: idSchema.optional(),
});
export type SessionQuery = Readonly<z.input<typeof querySchema>>;

/** Puts together what the killswitch's state and the session store know of sessions. */
export class SessionReader {
  readonly #ks: Killswitch;
  readonly #store: SessionStore;
  readonly #backendId: string;

  constructor(ks: Killswitch, store: SessionStore, backendId: string) {
    this.#ks = ks;
    this.#store = store;
    this.#backendId = backendId;
  }

  /** See `Sessions.get`. */
  async get(sessionId: string): Promise<Session | undefined> {
    if (!idSchema.safeParse(sessionId).success) return undefined;
    const agent = await this.#agent(sessionId);
    if (agent === undefined) return undefined;
    const record = await askStore(`Session "${sessionId}" could not be read`, () =>
      this.#store.get(sessionId),
    );
    return sessionOf(agent, await this.#claimant(agent, new Map()), record);
  }

  /** See `Sessions.list`. */
  async list(query: SessionQuery): Promise<Page<Session>> {
    const { limit, cursor, workspaceId } = parseInput('query', querySchema, query);
    const page = cursor === undefined ? { limit } : { limit, cursor };
    const records = await askStore('Sessions could not be listed', () => this.#store.list(page, workspaceId));
    const orders = new Map<string, Promise<StopOrder>>();
    const read = async (record: SessionRecord): Promise<Session | undefined> => {
      const agent = await this.#agent(record.sessionId);
      return agent && sessionOf(agent, await this.#claimant(agent, orders), record);
    };
    const items = (await Promise.all(records.items.map(read))).filter((session) => session !== undefined);
    return records.cursor === undefined ? { items } : { items, cursor: records.cursor };
  }

  async #agent(sessionId: string): Promise<Agent | undefined> {
    try {
      const agent = await this.#ks.agent(sessionId);
      return agent.backendId === this.#backendId ? agent : undefined;
    } catch (error) {
      if (isKillswitchError(error, 'unknown-target')) return undefined;
      throw error;
    }
  }

  /** The order that claimed it. @param read those that were read already */
  async #claimant(agent: Agent, read: Map<string, Promise<StopOrder>>): Promise<StopOrder | undefined> {
    const orderId = 'kill' in agent ? agent.kill.orderIds[0] : undefined;
    if (orderId === undefined) return undefined;
    const known = read.get(orderId) ?? this.#ks.order(orderId);
    read.set(orderId, known);
    return known;
  }
}
