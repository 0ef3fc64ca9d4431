import type { Agent, Handle, KillingAgent } from './agent.ts';
import type { Clock } from './ports/clock.ts';
import type { Observation, Runtime, RuntimeContext } from './ports/runtime.ts';
import { evidenceOf } from './route.ts';

/** After this long whoever is not seen dead is left to a pursuit of its own. */
const volleyMs = 250;
/**
 * Among very many later, by so much for each: their runtime looks for all of them at once, and a thousand pursuits that ask
 * again meanwhile only hold up its answer.
 */
const perAgentMs = 1;
/** Those seen dead are handed on at least this often, so that one that hangs delays no other (I5). */
const handOnMs = 10;
/** How long the calls may take, also after the volley. */
const callMs = 1_000;

/** An agent that was told to die and was then seen dead; times in milliseconds since the epoch. */
export interface Felled {
  readonly agent: KillingAgent;
  readonly signalledAt: number;
  readonly seenDeadAt: number;
  readonly evidence: string;
}

export interface VolleyHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  /** Of the stop: the runtimes may tell the agents why they end. */
  readonly reason: string;
  /** When those that are not seen dead are to be forced. */
  readonly forceAt: () => number;
}

/** Whether the agent has exactly one route and that one reaches it from here: the case that a volley is for. */
export function isEasy(agent: Agent, { hostId, runtimes }: Pick<VolleyHost, 'hostId' | 'runtimes'>): boolean {
  const [handle, ...others] = agent.handles;
  const runtime = handle === undefined || others.length > 0 ? undefined : runtimes.get(handle.runtime);
  return runtime !== undefined && (runtime.reach !== 'host' || agent.hostId === hostId);
}

/**
 * The first rung of the ladder for many agents at once: each is told to die, then looked at, all side by side. `handOn`
 * gets those that were seen dead, in batches as they come. Resolves with the rest, after a quarter of a second at most; of more
 * than 250 agents, after a millisecond for each, up to a second and no later than they are to be forced.
 */
export async function volley(
  agents: readonly KillingAgent[],
  host: VolleyHost,
  handOn: (felled: readonly Felled[]) => void,
): Promise<readonly KillingAgent[]> {
  const { clock, runtimes, reason } = host;
  const abort = new AbortController();
  // Not at the end of the volley: a kill that is on its way had better arrive than be begun anew.
  const cancelAbort = clock.setTimer(callMs, () => abort.abort());
  const rest = new Set(agents);
  let felled: Felled[] = [];
  let answers = 0;
  let wake = (): void => undefined;

  const tell = async (agent: KillingAgent): Promise<void> => {
    const handle = agent.handles[0] as Handle;
    const runtime = runtimes.get(handle.runtime) as Runtime;
    const context: RuntimeContext = { agentId: agent.agentId, signal: abort.signal, reason };
    const signalledAt = clock.now();
    try {
      await runtime.kill(handle, context);
      const seen: Observation = await runtime.inspect(handle, context);
      if (seen.state === 'dead' && rest.has(agent)) {
        const evidence = evidenceOf(seen.evidence);
        rest.delete(agent);
        felled.push({ agent, signalledAt, seenDeadAt: clock.now(), evidence });
      }
    } catch {
      // A pursuit will meet the same failure, and record it.
    }
    answers += 1;
    if (answers === agents.length) wake();
  };

  for (const agent of agents) void tell(agent);
  const since = clock.now();
  // Each time anew: another stop may bring the force nearer.
  while (answers < agents.length && clock.now() - since < patience(agents.length, host.forceAt() - since)) {
    await new Promise<void>((resolve) => {
      const cancel = clock.setTimer(handOnMs, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
    const batch = felled;
    felled = [];
    if (batch.length > 0) handOn(batch);
  }
  const left = [...rest];
  rest.clear();
  if (answers === agents.length) cancelAbort();
  return left;
}

function patience(agents: number, untilForceMs: number): number {
  const wanted = Math.min(callMs, agents * perAgentMs);
  return Math.max(volleyMs, Math.min(wanted, untilForceMs));
}
