import { type Lease, leaseSchema } from '@agent-killswitch/core';
import { StateRecordError } from './errors.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import { renewLease } from './lua/leases.ts';
import { readHash } from './lua/reads.ts';
import { pairsOf } from './replies.ts';

/** What each host says of how long it is alive. See `StateStore`. */
export class Leases {
  private readonly keys: Keys;
  private readonly link: Link;

  constructor(link: Link) {
    this.keys = link.keys;
    this.link = link;
  }

  async renewLease({ hostId, until }: Lease): Promise<void> {
    await this.link.run(renewLease, [this.keys.leases], [hostId, String(until)]);
  }

  async listLeases(): Promise<readonly Lease[]> {
    const answer = await this.link.run(readHash, [this.keys.leases], []);
    return pairsOf(answer).map(([hostId, until]) => {
      const lease = leaseSchema.safeParse({ hostId, until: Number(until) });
      if (!lease.success) throw new StateRecordError(`${this.keys.leases} ${hostId}`, 'it is no time');
      return lease.data;
    });
  }
}
