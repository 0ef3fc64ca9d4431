import type { Handle } from './agent.ts';
import { withDeadline } from './deadline.ts';
import type { Clock } from './ports/clock.ts';
import type { Observation, Runtime, RuntimeContext } from './ports/runtime.ts';
import { Unanswered } from './unanswered.ts';

/** One demand on a runtime gets this long before it counts as unanswered. */
export const callMs = 1_000;

/** How hard an agent is told to end. */
export type Rung = 'stop' | 'kill' | 'force';

/** One way to an agent: a handle and the runtime that takes it. Its calls are bounded, and what they throw is contained. */
export class Route {
  readonly handle: Handle;
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #agentId: string;
  readonly #failed: (error: unknown) => void;
  readonly #unanswered = new Unanswered();
  #demandedAt = Number.NEGATIVE_INFINITY;

  constructor(
    agentId: string,
    handle: Handle,
    runtime: Runtime,
    clock: Clock,
    failed: (error: unknown) => void,
  ) {
    this.handle = handle;
    this.#runtime = runtime;
    this.#clock = clock;
    this.#agentId = agentId;
    this.#failed = failed;
  }

  /** When it was last told to end; long ago if never. */
  get demandedAt(): number {
    return this.#demandedAt;
  }

  /** Tells the agent to end, and why. Resolves when the runtime has answered, or has not in time. */
  async tell(rung: Rung, reason: string): Promise<void> {
    this.#demandedAt = this.#clock.now();
    const runtime = this.#runtime;
    const { handle } = this;
    const told = (context: RuntimeContext): RuntimeContext => ({ ...context, reason });
    if (rung === 'stop')
      await this.#call('stop', callMs, async (context) => runtime.stop?.(handle, told(context)));
    else if (rung === 'force' && runtime.canForce)
      await this.#call('force', callMs, (context) => runtime.force(handle, told(context)));
    else await this.#call('kill', callMs, (context) => runtime.kill(handle, told(context)));
  }

  /** Looks, for `ms` milliseconds at most. */
  async look(ms: number): Promise<Observation> {
    const seen = await this.#call('inspect', ms, async (context) =>
      observed(await this.#runtime.inspect(this.handle, context)),
    );
    return seen ?? { state: 'unknown', evidence: `${this.handle.runtime} did not say whether it lives` };
  }

  /** `undefined` if the call failed, hung, or too many like it still hang. */
  async #call<T>(
    kind: string,
    ms: number,
    make: (context: RuntimeContext) => Promise<T>,
  ): Promise<T | undefined> {
    const answered = this.#unanswered.begin(kind, this.#clock.now());
    if (answered === undefined) return undefined;
    try {
      return await withDeadline(this.#clock, `${kind} by ${this.handle.runtime}`, ms, (signal) => {
        const running = (async () => make({ agentId: this.#agentId, signal }))();
        running.then(answered, answered);
        return running;
      });
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }
}

/** A copy of what a runtime says, so that whatever it hands over is read once, here, where a fault is contained. */
function observed({ state, evidence }: Observation): Observation {
  const isKnown = state === 'alive' || state === 'dead';
  return { state: isKnown ? state : 'unknown', evidence: evidenceOf(evidence) };
}

/** What a runtime says it saw, bounded; words also if it says nothing, so that no record of a death is without. */
export function evidenceOf(given: unknown): string {
  if (typeof given !== 'string' || given.trim() === '') return 'no evidence given';
  return given.slice(0, 500);
}

/** What several routes saw of one agent: dead if some see it dead and none sees it alive (I3); `undefined` of none. */
export function verdict(seen: readonly Observation[]): Observation | undefined {
  const alive = seen.find((each) => each.state === 'alive');
  if (alive !== undefined || seen.length === 0) return alive;
  const dead = seen.filter((each) => each.state === 'dead');
  const [state, told] = dead.length > 0 ? (['dead', dead] as const) : (['unknown', seen] as const);
  const evidence = told.map((each) => each.evidence).join('; ');
  return { state, evidence: evidence.slice(0, 1_000) };
}
