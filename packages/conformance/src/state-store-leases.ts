import type { Lease, StateStore } from '@agent-killswitch/core';
import { clause, type StateStoreClause } from './state-store-clause.ts';
import { epoch, expectSame } from './state-store-records.ts';

const leaseOf = (hostId: string, ms: number): Lease => ({ hostId, until: epoch + ms });

/** Expects exactly these leases, in any order. */
async function expectLeases(store: StateStore, ...leases: Lease[]): Promise<void> {
  const byHost = (a: Lease, b: Lease) => (a.hostId < b.hostId ? -1 : 1);
  expectSame([...(await store.listLeases())].sort(byHost), leases.sort(byHost), 'the leases');
}

export const leaseClauses: readonly StateStoreClause[] = [
  clause('listLeases lists the newest lease of every host that ever had one', async ({ store }) => {
    await expectLeases(store);
    for (const hostId of ['b', 'a', 'A', 'a:b']) await store.renewLease(leaseOf(hostId, 10));
    await store.renewLease(leaseOf('a', 20));
    await store.renewLease({ hostId: 'past', until: 0 });
    const others = ['b', 'A', 'a:b'].map((hostId) => leaseOf(hostId, 10));
    await expectLeases(store, leaseOf('a', 20), { hostId: 'past', until: 0 }, ...others);
  }),

  clause('listLeases lists 150 hosts', async ({ store }) => {
    const leases = Array.from({ length: 150 }, (_, n) => leaseOf(`host-${n}`, n));
    for (const lease of leases) await store.renewLease(lease);
    await expectLeases(store, ...leases);
  }),

  clause('renewLease never shortens a lease (I6)', async ({ store, second }) => {
    await store.renewLease(leaseOf('a', 100));
    for (const ms of [99, 1, -1_000]) {
      await second.renewLease(leaseOf('a', ms));
      await expectLeases(store, leaseOf('a', 100));
    }
    await second.renewLease(leaseOf('a', 101));
    await expectLeases(store, leaseOf('a', 101));
  }),

  clause('of racing renewals, the longest stands (I6)', async ({ store, second }) => {
    const renewals = Array.from({ length: 40 }, (_, n) => leaseOf('a', (n * 17) % 40));
    await Promise.all(renewals.map((lease, n) => (n % 2 === 0 ? store : second).renewLease(lease)));
    await expectLeases(store, leaseOf('a', 39));
  }),

  clause(
    'leases are there after a restart',
    async ({ store, reopen }) => {
      await store.renewLease(leaseOf('a', 10));
      const again = await reopen();
      await again.renewLease(leaseOf('a', 9));
      await expectLeases(again, leaseOf('a', 10));
    },
    'reopen',
  ),
];
