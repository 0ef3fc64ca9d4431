import type { Handle } from './agent.ts';
import { withDeadline } from './deadline.ts';
import type { Clock } from './ports/clock.ts';
import type { Runtime } from './ports/runtime.ts';
import { callMs } from './route.ts';
import { Unanswered } from './unanswered.ts';

export interface LocatingHost {
  readonly clock: Clock;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  /** A runtime has a way to the agent. */
  readonly found: (handle: Handle, runtime: Runtime) => void;
  readonly failed: (error: unknown) => void;
}

/** Asks the runtimes of this host where an agent is of which nobody has said how to reach it. */
export class Locating {
  readonly #host: LocatingHost;
  readonly #agentId: string;
  readonly #unanswered = new Unanswered();

  constructor(host: LocatingHost, agentId: string) {
    this.#host = host;
    this.#agentId = agentId;
  }

  /** Whether every one of them could tell: only then does finding nothing mean anything. Never rejects. */
  async ask(): Promise<boolean> {
    let isComplete = true;
    for (const [name, runtime] of this.#host.runtimes) {
      const locate = runtime.locate?.bind(runtime);
      if (locate === undefined) {
        isComplete = isComplete && runtime.reach === 'host';
        continue;
      }
      try {
        for (const handle of await this.#askOne(name, locate)) this.#host.found(handle, runtime);
      } catch (error) {
        isComplete = false;
        this.#host.failed(error);
      }
    }
    return isComplete;
  }

  async #askOne(name: string, locate: NonNullable<Runtime['locate']>): Promise<readonly Handle[]> {
    const { clock } = this.#host;
    const agentId = this.#agentId;
    // One that never comes back is not asked again at each look (I12).
    const answered = this.#unanswered.begin(name, clock.now());
    if (answered === undefined) throw new Error(`${name} has not said yet where it is`);
    return withDeadline(clock, `location by ${name}`, callMs, (signal) =>
      // One that throws at once has answered, too.
      (async () => locate(agentId, { agentId, signal }))().finally(answered),
    );
  }
}
