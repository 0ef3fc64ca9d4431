import type { Agent } from './agent.ts';
import { type ScopeKey, scopeKeysOf } from './scope.ts';

/** This host's own live agents, by id and by every scope that they are in: to find a few among many is to read those few. */
export class OwnAgents {
  readonly #byId = new Map<string, Agent>();
  /** Ids by scope key; not of the scopes that hold all of them, or one by its own id. */
  readonly #byKey = new Map<ScopeKey, Set<string>>();
  readonly #hostKey: ScopeKey;

  constructor(hostId: string) {
    this.#hostKey = `host:${hostId}`;
  }

  get(agentId: string): Agent | undefined {
    return this.#byId.get(agentId);
  }

  /** Those in a scope, as they are now. */
  in(key: ScopeKey): Agent[] {
    if (key === 'everything' || key === this.#hostKey) return [...this.#byId.values()];
    const ids = [
      ...(key.startsWith('agent:') ? [key.slice('agent:'.length)] : []),
      ...(this.#byKey.get(key) ?? []),
    ];
    return ids.flatMap((agentId) => this.#byId.get(agentId) ?? []);
  }

  /** Keeps an agent in place of its earlier copy. */
  keep(agent: Agent): void {
    const { agentId } = agent;
    if (!this.#byId.has(agentId)) {
      for (const key of this.#keysOf(agent)) {
        const ids = this.#byKey.get(key);
        if (ids === undefined) this.#byKey.set(key, new Set([agentId]));
        else ids.add(agentId);
      }
    }
    this.#byId.set(agentId, agent);
  }

  drop(agentId: string): void {
    const known = this.#byId.get(agentId);
    if (known === undefined) return;
    this.#byId.delete(agentId);
    for (const key of this.#keysOf(known)) {
      const ids = this.#byKey.get(key);
      ids?.delete(agentId);
      if (ids?.size === 0) this.#byKey.delete(key);
    }
  }

  /** What an agent is in never changes. */
  #keysOf(agent: Agent): ScopeKey[] {
    const shared = ['everything', this.#hostKey, `agent:${agent.agentId}`];
    return scopeKeysOf(agent).filter((key) => !shared.includes(key));
  }
}
