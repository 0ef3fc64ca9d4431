import { z } from 'zod';
import { type Agent, isLive } from './agent.ts';
import type { Book } from './book.ts';
import type { Cleanup } from './cleanup.ts';
import { InvalidTransitionError, UnknownTargetError } from './errors.ts';
import { idSchema } from './identifiers.ts';
import { parseInput } from './input.ts';
import { membersOf } from './order-report.ts';
import type { Clock } from './ports/clock.ts';

const maxErrors = 100;
/** So many agents are cleaned up at once. */
const mostAtOnce = 100;

/** Whose failed cleanup steps: of one agent, or of all that an order has killed. */
export type CleanupTarget = { readonly agentId: string } | { readonly orderId: string };

/** What became of cleanup steps that had failed. */
export interface CleanupReport {
  /** Agents that had a failed step. */
  readonly total: number;
  /** Those of them that have none any more. */
  readonly cleaned: number;
  /** Those of other hosts, which try within a second or two, if they are up. */
  readonly elsewhere: number;
  /** What failed again, one line each, at most 100. */
  readonly errors: readonly string[];
}

export interface RetryHost {
  readonly hostId: string;
  readonly clock: Clock;
  readonly book: Book;
  readonly cleanup: Cleanup;
}

const targetSchema = z.union([z.strictObject({ agentId: idSchema }), z.strictObject({ orderId: idSchema })]);

/** See `Killswitch.retryCleanup`. */
export async function retryCleanup(host: RetryHost, input: CleanupTarget): Promise<CleanupReport> {
  const target = parseInput('target', targetSchema, input);
  const report = { total: 0, cleaned: 0, elsewhere: 0, errors: [] as string[] };
  for await (const agents of agentsOf(host.book, target)) {
    const failed = agents.filter((agent) => !isLive(agent) && hasFailed(agent));
    report.total += failed.length;
    while (failed.length > 0) {
      const tried = await Promise.all(failed.splice(0, mostAtOnce).map((agent) => retryOne(host, agent)));
      for (const agent of tried) {
        if (agent === undefined) report.elsewhere += 1;
        else if (hasFailed(agent)) report.errors.push(...errorsOf(agent));
        else report.cleaned += 1;
      }
    }
  }
  return { ...report, errors: report.errors.slice(0, maxErrors) };
}

async function* agentsOf(book: Book, target: z.infer<typeof targetSchema>): AsyncGenerator<readonly Agent[]> {
  if ('agentId' in target) {
    const agent = await book.find(target.agentId);
    if (agent === undefined) throw new UnknownTargetError('agent', target.agentId);
    if (isLive(agent))
      throw new InvalidTransitionError(
        `Agent "${agent.agentId}" is ${agent.status}: it is cleaned up after its end`,
      );
    yield [agent];
    return;
  }
  const { orderId } = target;
  const order = await book.ask('reading an order', (store) => store.getOrder(orderId));
  if (order === undefined) throw new UnknownTargetError('order', orderId);
  yield* membersOf(book, orderId);
}

/** The agent afterwards; `undefined` if another host has to do it. */
async function retryOne(
  { book, cleanup, clock, hostId }: RetryHost,
  agent: Agent,
): Promise<Agent | undefined> {
  const change = await book.change(agent, { type: 'clean-up-again', at: clock.now() });
  return agent.hostId === hostId ? cleanup.run(change.agent) : undefined;
}

function hasFailed({ ledger }: Agent): boolean {
  return ledger.some(({ status }) => status === 'failed');
}

function errorsOf({ agentId, ledger }: Agent): string[] {
  return ledger
    .filter(({ status }) => status === 'failed')
    .map(({ step, error }) => `Agent "${agentId}": cleanup step ${step} failed: ${error ?? ''}`);
}
