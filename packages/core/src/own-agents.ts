import { type Agent, isLive } from './agent.ts';
import { type ScopeKey, scopeKeysOf } from './scope.ts';

/** Admissions without an answer that are kept in mind. */
const mostDoubted = 1_000;

interface Own {
  /** Its newest copy. */
  agent: Agent;
  /** As the how-manieth it was met. */
  readonly nth: number;
  readonly groups: readonly Group[];
}

/** Those in one scope. */
interface Group {
  readonly key: ScopeKey;
  readonly members: Set<Own>;
}

/**
 * This host's own live agents, so that they can be killed while the store is down (I6); by id and by every scope that they
 * are in: to find a few among many is to read those few.
 */
export class OwnAgents {
  readonly #byId = new Map<string, Own>();
  /** By scope key; not of the scopes that hold all of them, or one by its own id. */
  readonly #byKey = new Map<ScopeKey, Group>();
  #met = 0;
  readonly #hostId: string;
  readonly #hostKey: ScopeKey;
  /** Copies that no store ever held: their revisions mean nothing to it. */
  readonly #unstored = new WeakSet<Agent>();
  /** Ids of agents whose admission was refused for want of an answer, the newest last. */
  readonly #doubted = new Set<string>();

  constructor(hostId: string) {
    this.#hostId = hostId;
    this.#hostKey = `host:${hostId}`;
  }

  get(agentId: string): Agent | undefined {
    return this.#byId.get(agentId)?.agent;
  }

  /** How many agents this host has ever met. */
  get met(): number {
    return this.#met;
  }

  /** Those in a scope, as they are now; with `met` only those that were met when there had been so many. */
  in(key: ScopeKey, met: number = this.#met): Agent[] {
    const found = this.#in(key);
    return (met === this.#met ? found : found.filter(({ nth }) => nth <= met)).map(agentOf);
  }

  #in(key: ScopeKey): Own[] {
    if (key === 'everything' || key === this.#hostKey) return [...this.#byId.values()];
    const own = key.startsWith('agent:') ? this.#byId.get(key.slice('agent:'.length)) : undefined;
    return [...(own === undefined ? [] : [own]), ...(this.#byKey.get(key)?.members ?? [])];
  }

  /** Takes note of an agent as stored: it is kept if it is this host's and lives. */
  note(agent: Agent): void {
    // A read that is out of date must not take away the handles that a kill without the store needs (I6).
    const own = this.#byId.get(agent.agentId);
    if (own !== undefined && agent.revision < own.agent.revision && this.isStored(own.agent)) return;
    this.#take(agent, own);
  }

  /** Like {@link note}, of a copy that was changed here and that no store ever held. */
  noteUnstored(agent: Agent): void {
    this.#unstored.add(agent);
    this.#take(agent, this.#byId.get(agent.agentId));
  }

  /** Whether this very copy came from the store, or was taken by it. */
  isStored(agent: Agent): boolean {
    return !this.#unstored.has(agent);
  }

  /**
   * Takes note that an agent's admission was refused for want of an answer: without a handle it never started here, so
   * there is nothing to kill without the store, least of all for a stop that it came after (I9).
   */
  doubt(agentId: string): void {
    this.#doubted.add(agentId);
    for (const oldest of this.#doubted) {
      if (this.#doubted.size <= mostDoubted) return;
      this.#doubted.delete(oldest);
    }
  }

  /** Takes back {@link doubt}: the agent was let in, at a later try (I6). */
  trust(agentId: string): void {
    this.#doubted.delete(agentId);
  }

  /** `own`: its earlier copy, if there is one. */
  #take(agent: Agent, own: Own | undefined): void {
    if (agent.hostId !== this.#hostId) return;
    const neverRan = agent.handles.length === 0 && this.#doubted.has(agent.agentId);
    if (!isLive(agent)) this.#drop(agent.agentId, own);
    else if (neverRan) return;
    else if (own === undefined) this.#keep(agent);
    else own.agent = agent;
  }

  #keep(agent: Agent): void {
    // What an agent is in never changes.
    this.#met += 1;
    const own: Own = { agent, nth: this.#met, groups: this.#keysOf(agent).map((key) => this.#group(key)) };
    for (const { members } of own.groups) members.add(own);
    this.#byId.set(agent.agentId, own);
  }

  #drop(agentId: string, own: Own | undefined): void {
    if (own === undefined) return;
    this.#byId.delete(agentId);
    for (const { key, members } of own.groups) {
      members.delete(own);
      if (members.size === 0) this.#byKey.delete(key);
    }
  }

  #group(key: ScopeKey): Group {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const group = { key, members: new Set<Own>() };
    this.#byKey.set(key, group);
    return group;
  }

  #keysOf(agent: Agent): ScopeKey[] {
    const shared = ['everything', this.#hostKey, `agent:${agent.agentId}`];
    return scopeKeysOf(agent).filter((key) => !shared.includes(key));
  }
}

function agentOf({ agent }: Own): Agent {
  return agent;
}
