import { type Agent, type Handle, maxHandles } from './agent.ts';
import type { Book } from './book.ts';
import { withDeadline } from './deadline.ts';
import { pagesOf } from './pages.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';
import type { Unanswered } from './unanswered.ts';

const lookMs = 1_000;

export interface ReviewHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  /** Of this killswitch, not of one review: a start that fails is tried again, and looks again (I12). */
  readonly unanswered: Unanswered;
  /** When this killswitch was made: what it reviews it has not admitted itself. */
  readonly startedAt: number;
  /** Takes the ids of agents that an earlier life of this host has admitted at a time that is yet to come: its clock was ahead. */
  readonly earlier: Set<string>;
}

/**
 * After a restart: looks at every agent that this host admitted in an earlier life. Those seen dead become `failed`;
 * those found alive without a handle get one, so that they can be killed. In doubt nothing is changed. The same for a state that
 * has gone back to an earlier time, but for those who are `known` to live.
 */
export async function reviewOwnAgents(
  host: ReviewHost,
  known: (agentId: string) => boolean = () => false,
): Promise<void> {
  const { hostId, startedAt, earlier } = host;
  const key = `host:${hostId}`;
  for await (const agents of pagesOf(host.clock, (page) => host.book.listAgents(key, page))) {
    for (const agent of agents) host.book.note(agent);
    const others = agents.filter(({ agentId }) => !known(agentId));
    for (const { agentId, spawnedAt } of others) if (spawnedAt >= startedAt) earlier.add(agentId);
    await Promise.all(others.map((agent) => reviewOne(host, agent).catch(() => undefined)));
  }
}

async function reviewOne(host: ReviewHost, agent: Agent): Promise<void> {
  if (agent.status === 'killing') return;
  const { book, clock } = host;
  const handles = agent.handles.length > 0 ? agent.handles : await locate(host, agent);
  if (handles === undefined) return;
  if (await isSeenDead(host, agent, handles)) {
    await book.change(agent, {
      type: 'failed',
      at: clock.now(),
      error: 'it had ended when its host came back',
    });
  } else if (agent.status === 'spawning' && handles.length > 0 && handles.length <= maxHandles) {
    // Of more than it can have none is stored: a kill looks for all of them again.
    await book.change(agent, { type: 'running', at: clock.now(), handles });
  }
}

/** Every handle of the agent, or `undefined` if not every runtime can tell. */
async function locate(host: ReviewHost, agent: Agent): Promise<Handle[] | undefined> {
  const found: Handle[] = [];
  const { agentId } = agent;
  for (const [name, runtime] of host.runtimes) {
    // What only this host's earlier life could reach died with it.
    if (runtime.reach === 'host') continue;
    const find = runtime.locate?.bind(runtime);
    if (find === undefined) return undefined;
    const what = `location of ${agentId} by ${name}`;
    found.push(...(await ask(host, what, (signal) => find(agentId, { agentId, signal }))));
  }
  return found;
}

/** Whether every handle of the agent is seen dead. `false` in any doubt: no runtime, no answer, an answer of `unknown`. */
export async function isSeenDead(
  host: Pick<ReviewHost, 'clock' | 'runtimes' | 'unanswered'>,
  { agentId }: Agent,
  handles: readonly Handle[],
): Promise<boolean> {
  for (const handle of handles) {
    const runtime = host.runtimes.get(handle.runtime);
    if (runtime === undefined) return false;
    try {
      const what = `inspection of ${agentId} by ${JSON.stringify(handle)}`;
      const seen = await ask(host, what, (signal) => runtime.inspect(handle, { agentId, signal }));
      if (seen.state !== 'dead') return false;
    } catch {
      return false;
    }
  }
  return true;
}

/** @throws DeadlineError, what the runtime throws, or an error when too many questions like it are open. */
async function ask<T>(
  { clock, unanswered }: Pick<ReviewHost, 'clock' | 'unanswered'>,
  what: string,
  make: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const answered = unanswered.begin(what, clock.now());
  if (answered === undefined) throw new Error(`${what} has not been answered yet`);
  return withDeadline(clock, what, lookMs, (signal) => (async () => make(signal))().finally(answered));
}
