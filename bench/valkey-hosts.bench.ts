import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Redis } from 'ioredis';
import { serviceNamed } from '../scripts/services/table.ts';
import { withServices } from '../scripts/services/with-services.ts';
import type { Report } from './report.ts';

const hosts = 3;
const agentsPerHost = 100;
const rounds = 4;

/**
 * How long after its order was placed on one host the last agent of each other host is signalled: three processes with a
 * hundred process agents each, with the channel and without it.
 */
export default function bench(report: Report): Promise<void> {
  return withServices([serviceNamed('valkey')], async ({ env, missing }) => {
    const url = env.VALKEY_URL;
    if (url === undefined) throw new Error(`No Valkey: ${missing.map(({ why }) => why).join()}`);
    const n = rounds * (hosts - 1);
    const heard = await measure(url);
    report({ metric: 'valkey.hosts.hinted', value: heard, unit: 'ms', limit: 50, n });
    const polled = await measure(await withoutChannels(url));
    report({ metric: 'valkey.hosts.polled', value: polled, unit: 'ms', limit: 1_500, n });
  });
}

/** The way to the server for a user who may neither publish nor subscribe. */
async function withoutChannels(url: string): Promise<string> {
  const client = new Redis(url);
  await client.acl('SETUSER', 'mute', 'on', '>mute', '~*', '+@all', 'resetchannels');
  client.disconnect();
  const mute = new URL(url);
  mute.username = 'mute';
  mute.password = 'mute';
  return mute.href;
}

/** The 99th percentile over all rounds and other hosts, in milliseconds. */
async function measure(url: string): Promise<number> {
  const prefix = `bench-${randomUUID()}`;
  const crew = Array.from({ length: hosts }, (_, n) => new HostProcess(url, prefix, `host-${n}`));
  const delays: number[] = [];
  try {
    for (const host of crew) await host.hear('ready');
    for (let round = 0; round < rounds; round++) {
      const task = `task-${round}`;
      for (const host of crew) host.tell(`spawn ${task} ${agentsPerHost}`);
      for (const host of crew) await host.hear('ready');
      const [killer, ...others] = crew as [HostProcess, ...HostProcess[]];
      killer.tell(`kill ${task}`);
      const placedAt = await killer.hear('placedAt');
      for (const host of others) delays.push((await host.hear('lastSignalAt')) - placedAt);
      const total = await killer.hear('total');
      if (total !== hosts * agentsPerHost) throw new Error(`Claimed ${total} of ${hosts * agentsPerHost}`);
    }
  } finally {
    for (const host of crew) host.end();
  }
  delays.sort((a, b) => a - b);
  process.stderr.write(`delays: ${delays.join(' ')}\n`);
  return delays[Math.ceil(delays.length * 0.99) - 1] ?? Number.NaN;
}

class HostProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(url: string, prefix: string, hostId: string) {
    const script = join(import.meta.dirname, 'support/valkey-host.ts');
    const args = ['--conditions=agent-killswitch-source', script, url, prefix, hostId];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The value of the next line that has this member. */
  async hear(member: string): Promise<number> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error('A host has ended');
      const said = JSON.parse(value) as Record<string, number>;
      if (said[member] !== undefined) return said[member];
    }
  }

  end(): void {
    this.#child.kill('SIGTERM');
  }
}
