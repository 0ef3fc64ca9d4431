import {
  type Agent,
  describeError,
  idSchema,
  isKillswitchError,
  type Killswitch,
  type Page,
  parseInput,
  type StopOrder,
} from '@agent-killswitch/core';
import { z } from 'zod';
import { askStore } from './ask-store.ts';
import { type Session, sessionOf } from './session.ts';
import { placeOf } from './session-place.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionStore } from './session-store.ts';

const querySchema = z.strictObject({
  /** At most this many, 1 to 1,000; fewer if their checkpoints are large. Default 100. */
  limit: z.number().int().min(1).max(1_000).default(100),
  /** Where the previous page ended. */
  cursor: z
    .string()
    .regex(/^\d{15}:/, 'must be one that a listing gave')
    .optional(),
  /** Only those of this workspace. Left out, those of all; `undefined` is refused, so that a missing one never means all. */
  workspaceId: idSchema.exactOptional(),
});
export type SessionQuery = Readonly<z.input<typeof querySchema>>;

export interface SessionPage extends Page<Session> {
  /** One line for each session of this page whose checkpoint cannot be read; the session itself is among `items`, without it. */
  readonly damaged?: readonly string[];
}

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

  /** The agent that a session is; `undefined` of what is no session. @throws StateUnavailableError */
  async agentOf(sessionId: string): Promise<Agent | undefined> {
    const agent = await unlessUnknown(this.#ks.agent(sessionId));
    return agent?.backendId === this.#backendId ? agent : undefined;
  }

  /** See `Sessions.get`. */
  async get(sessionId: string): Promise<Session | undefined> {
    if (!idSchema.safeParse(sessionId).success) return undefined;
    const agent = await this.agentOf(sessionId);
    if (agent === undefined) return undefined;
    const record = await askStore(`Session "${sessionId}" could not be read`, () =>
      this.#store.get(sessionId),
    );
    return sessionOf(agent, await this.#claimant(agent, new Map()), record);
  }

  /** See `Sessions.list`. */
  async list(query: SessionQuery): Promise<SessionPage> {
    const { limit, cursor, workspaceId } = parseInput('query', querySchema, query);
    const page = cursor === undefined ? { limit } : { limit, cursor };
    const found = await askStore('Sessions could not be listed', () => this.#store.list(page, workspaceId));
    const damaged = (found.damaged ?? []).map(({ fault }) => fault);
    const orders = new Map<string, Promise<StopOrder | undefined>>();
    const read = async (sessionId: string, record?: SessionRecord): Promise<Session | undefined> => {
      const agent = await this.agentOf(sessionId);
      if (agent === undefined) return undefined;
      const claimant = await this.#claimant(agent, orders);
      try {
        return sessionOf(agent, claimant, record);
      } catch (error) {
        damaged.push(describeError(error));
        return sessionOf(agent, claimant, undefined);
      }
    };
    const all = await Promise.all([
      ...found.items.map((record) => read(record.sessionId, record)),
      ...(found.damaged ?? []).map(({ sessionId }) => read(sessionId)),
    ]);
    const items = all.filter((session) => session !== undefined);
    if ((found.damaged ?? []).length > 0) items.sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
    return {
      items,
      ...(found.cursor === undefined ? {} : { cursor: found.cursor }),
      ...(damaged.length > 0 ? { damaged } : {}),
    };
  }

  /** The order that claimed it. @param read those that were read already */
  async #claimant(
    agent: Agent,
    read: Map<string, Promise<StopOrder | undefined>>,
  ): Promise<StopOrder | undefined> {
    const orderId = 'kill' in agent ? agent.kill.orderIds[0] : undefined;
    if (orderId === undefined) return undefined;
    const known = read.get(orderId) ?? unlessUnknown(this.#ks.order(orderId));
    read.set(orderId, known);
    return known;
  }
}

/** A state that was lost and put back need not have everything that its agents name. */
async function unlessUnknown<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isKillswitchError(error, 'unknown-target')) return undefined;
    throw error;
  }
}
