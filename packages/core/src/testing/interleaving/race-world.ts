import type { Handle, NewAgent } from '../../agent.ts';
import type { AuditEvent } from '../../audit-event.ts';
import { createKillswitch } from '../../create-killswitch.ts';
import type { Killswitch } from '../../killswitch.ts';
import { memoryAudit } from '../../memory/memory-audit.ts';
import { type MemoryRuntime, memoryRuntime } from '../../memory/memory-runtime.ts';
import { memoryState } from '../../memory/memory-state.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { type Scheduling, scheduledAudit, scheduledRuntime, scheduledState } from './scheduled-ports.ts';
import { Turns } from './turns.ts';
import { quiet, VirtualTime } from './virtual-time.ts';

export interface RaceWorldOptions extends Partial<Pick<Scheduling, 'slowAnswers' | 'atOnce'>> {
  readonly hosts: readonly string[];
  /** Any host reaches every agent. Default: only the host that started it. */
  readonly isNetwork?: boolean;
  /** Hosts are told of each other's changes. Default `true`; otherwise they look by themselves, once a second. */
  readonly hints?: boolean;
}

export interface RaceHost {
  readonly name: string;
  readonly ks: Killswitch;
  readonly runtime: MemoryRuntime;
}

/** Hosts that share one store and one record in memory, each of their port calls held until it is its turn. */
export class RaceWorld {
  readonly turns = new Turns();
  readonly hosts: readonly RaceHost[];
  readonly state: StateStore = memoryState();
  readonly audit = memoryAudit();
  /** Ids of the agents that somebody asked to admit. */
  readonly asked: string[] = [];
  readonly #time = new VirtualTime();
  readonly #started: Array<{
    readonly agentId: string;
    readonly handle: Handle;
    readonly runtime: MemoryRuntime;
  }> = [];

  constructor(options: RaceWorldOptions) {
    const { hosts, slowAnswers = [], atOnce = [], isNetwork = false, hints = true } = options;
    const network = memoryRuntime();
    let chance = 0;
    this.hosts = hosts.map((host) => {
      const by = { turns: this.turns, host, slowAnswers, atOnce };
      const runtime: MemoryRuntime = isNetwork ? { ...network, reach: 'network' } : memoryRuntime();
      const state = scheduledState(this.state, by);
      if (!hints) state.watch = () => () => undefined;
      const ks = createKillswitch({
        hostId: host,
        state,
        audit: scheduledAudit(this.audit, by),
        runtimes: { memory: scheduledRuntime(runtime, by) },
        clock: this.#time,
        randomBytes: (bytes) => bytes.fill(chance++),
        lastResort: () => undefined,
      });
      return { name: host, ks, runtime };
    });
  }

  host(index: number): RaceHost {
    const host = this.hosts[index];
    if (host === undefined) throw new RangeError(`There is no host ${index}`);
    return host;
  }

  /** What a service does with an agent: asks whether it may start, starts it, says how it is reached. */
  async startAgent({ ks, runtime }: RaceHost, agent: NewAgent): Promise<Handle> {
    this.asked.push(agent.agentId);
    await ks.admit(agent);
    const handle = runtime.spawn();
    this.#started.push({ agentId: agent.agentId, handle, runtime });
    await ks.running(agent.agentId, [handle]);
    return handle;
  }

  /** Ids of the agents that are alive, whatever store and record say. */
  alive(): string[] {
    return this.#started
      .filter(({ handle, runtime }) => runtime.isAlive(handle))
      .map(({ agentId }) => agentId);
  }

  events<T extends AuditEvent['type']>(type: T): Array<Extract<AuditEvent, { type: T }>> {
    return this.audit
      .events()
      .filter((event): event is Extract<AuditEvent, { type: T }> => event.type === type);
  }

  /** Lets everything pass, and time too, until the work is done. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    work.then(done, done);
    this.turns.letGo();
    for (await quiet(); !isDone; await quiet()) this.#time.goOn();
    return work;
  }

  /** Lets so many milliseconds pass, and everything with them. */
  pass(ms: number): Promise<void> {
    return this.finish(new Promise((resolve) => void this.#time.setTimer(ms, resolve)));
  }

  goOn(): void {
    this.#time.goOn();
  }
}
