import { type Agent, InvalidInputError, type Killswitch, ulid } from '@agent-killswitch/core';
import type { Behaviour } from './behaviours.ts';
import type { Launchers, RuntimeName } from './launchers.ts';
import type { Workplaces } from './workplaces.ts';

const lookMs = 1_000;

export interface SpawnRequest {
  readonly taskId: string;
  readonly workspaceId: string;
  readonly backendId: string;
  readonly ownerId: string;
  readonly agentType: string;
  readonly runtime: RuntimeName;
  readonly behaviour: Behaviour;
  readonly context?: unknown;
}

/** Starts agents and tells the killswitch how they end; takes over those that a restart left running. */
export class Supervisor {
  readonly #ks: Killswitch;
  readonly #launchers: Launchers;
  readonly #workplaces: Workplaces;
  readonly #adopted = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(ks: Killswitch, launchers: Launchers, workplaces: Workplaces) {
    this.#ks = ks;
    this.#launchers = launchers;
    this.#workplaces = workplaces;
  }

  /** What an agent is unless its request says otherwise. */
  get defaultRuntime(): RuntimeName {
    return this.#launchers.docker === undefined ? 'process' : 'docker';
  }

  /** Throws what `admit` throws, or why it could not be started. */
  async spawn({ runtime, behaviour, context, ...request }: SpawnRequest): Promise<Agent> {
    const launcher = this.#launchers[runtime];
    if (launcher === undefined)
      throw new InvalidInputError('body', [
        `runtime: no ${runtime} here; the server needs SANDBOX_ENABLED=true`,
      ]);
    const id = ulid(Date.now(), (bytes) => crypto.getRandomValues(bytes));
    const agentId = `agt_${id}`;
    const resources = await this.#workplaces.resources(agentId, context);
    const agent = await this.#ks.admit({
      ...request,
      agentId,
      sessionIds: [`ses_${id}`],
      resources: [...resources, ...(launcher.resources ?? [])],
    });
    try {
      const cwd = await this.#workplaces.make(agent, context);
      const killswitch = this.#ks;
      const { handle, ended, isEnrolled } = await launcher.launch({ agentId, behaviour, cwd, killswitch });
      void ended.then((fault) => this.#ended(agentId, fault));
      return isEnrolled ? await this.#ks.agent(agentId) : await this.#ks.running(agentId, [handle]);
    } catch (error) {
      await this.#ended(agentId, error);
      throw error;
    }
  }

  /** Looks every second after the running agents that an earlier life of this server started. */
  async adopt(): Promise<void> {
    for await (const agent of ownAgents(this.#ks))
      if (agent.status === 'running') this.#adopted.add(agent.agentId);
    const round = async (): Promise<void> => {
      for (const agentId of this.#adopted) await this.#review(agentId).catch(() => undefined);
      if (this.#adopted.size > 0) this.#timer = setTimeout(round, lookMs);
    };
    this.#timer = setTimeout(round, lookMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#adopted.clear();
  }

  async #review(agentId: string): Promise<void> {
    const agent = await this.#ks.agent(agentId);
    const [handle] = agent.handles;
    if (agent.status !== 'running' || handle === undefined) {
      this.#adopted.delete(agentId);
      return;
    }
    const launcher = Object.entries(this.#launchers).find(([name]) => name === handle.runtime)?.[1];
    const seen = await launcher?.runtime.inspect(handle, { agentId, signal: AbortSignal.timeout(lookMs) });
    if (seen?.state !== 'dead') return;
    this.#adopted.delete(agentId);
    await this.#ended(agentId, 'ended after a restart of its server: its exit status is not known');
  }

  async #ended(agentId: string, error?: unknown): Promise<void> {
    try {
      await (error === undefined ? this.#ks.completed(agentId) : this.#ks.failed(agentId, error));
    } catch (fault) {
      console.error(`Agent ${agentId} has ended, which could not be stored: ${String(fault)}`);
    }
  }
}

/** The live agents of this host. */
async function* ownAgents(ks: Killswitch): AsyncGenerator<Agent> {
  let cursor: string | undefined;
  do {
    const page = await ks.listHost(ks.hostId, cursor === undefined ? { limit: 500 } : { limit: 500, cursor });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
