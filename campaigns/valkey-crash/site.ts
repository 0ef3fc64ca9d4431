import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Agent,
  agentSchema,
  type Deadlines,
  type StopOrder,
  stopOrderSchema,
} from '@agent-killswitch/core';
import { Redis } from 'ioredis';
import { HostProcess, type HostSettings } from './host-process.ts';

/** Hosts in processes of their own on one Valkey, and what that holds of them, read past them all. */
export class Site {
  readonly prefix: string = `crash-${randomUUID()}`;
  readonly pids: number[] = [];
  readonly hosts: HostProcess[] = [];
  readonly #url: string;
  readonly #client: Redis;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'killswitch-crash-'));

  constructor(url: string) {
    this.#url = url;
    this.#client = new Redis(url);
  }

  async boot(
    hostId: string,
    nature: HostSettings['nature'],
    deadlines: Partial<Deadlines>,
  ): Promise<HostProcess> {
    const folder = join(this.#folder, hostId);
    const host = await HostProcess.start({
      ...{ url: this.#url, prefix: this.prefix, hostId, folder, nature, deadlines },
    });
    this.hosts.push(host);
    return host;
  }

  /** Agents' ids are names on the whole machine, of their cgroups for example. */
  idOf(name: string): string {
    return `${this.prefix}-${name}`;
  }

  async spawn(host: HostProcess, name: string, taskId: string): Promise<number> {
    const agentId = this.idOf(name);
    const answer = await host.tell({ do: 'spawn', agentId, taskId });
    const pid = answer?.pid;
    if (typeof pid !== 'number')
      throw new Error(`${host.hostId} did not start ${agentId}: ${JSON.stringify(answer)}`);
    this.pids.push(pid);
    return pid;
  }

  async orders(): Promise<StopOrder[]> {
    const raw = await this.#client.hvals(`{${this.prefix}}:orders`);
    return raw.map((text) => stopOrderSchema.parse(JSON.parse(text).order));
  }

  async agent(name: string): Promise<Agent> {
    const raw = await this.#client.get(`{${this.prefix}}:agent:${this.idOf(name)}`);
    return agentSchema.parse(JSON.parse(raw ?? '{}').agent);
  }

  /** When the host's lease runs out, in milliseconds since the Unix epoch. */
  async leaseOf(hostId: string): Promise<number> {
    return Number(await this.#client.hget(`{${this.prefix}}:leases`, hostId));
  }

  async dispose(): Promise<void> {
    for (const host of this.hosts) await host.kill();
    for (const pid of this.pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
    const keys = await this.#client.keys(`{${this.prefix}}:*`);
    if (keys.length > 0) await this.#client.unlink(...keys);
    this.#client.disconnect();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A dead one whose parent is dead too may stay in the table for ever, where nobody reaps it. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/[ZX]/.test(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** What a look finds as soon as it finds something; `undefined` if it has not until then, by the machine's clock. */
export async function found<T>(untilMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined || Date.now() > untilMs) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
