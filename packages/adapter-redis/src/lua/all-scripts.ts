import type { Script } from '../script.ts';
import { admit } from './admit.ts';
import { gateChanges } from './gate-changes.ts';
import { renewLease } from './leases.ts';
import { openStore } from './open-store.ts';
import { gateOverview, listOpenOrders, placeOrder, readGatesOn, swapOrder } from './orders.ts';
import { putBackTasks } from './put-back-tasks.ts';
import { readFields, readHash, readList, readRecord } from './reads.ts';
import { approve, release } from './releases.ts';
import { putBackAgents, swapAgents } from './swap-agents.ts';

/** Every script there is. */
export const allScripts: readonly Script[] = [
  ...[
    openStore,
    admit,
    swapAgents,
    putBackAgents,
    putBackTasks,
    placeOrder,
    swapOrder,
    listOpenOrders,
    release,
    approve,
    renewLease,
    gateChanges,
    gateOverview,
  ],
  ...[readRecord, readFields, readHash, readList, readGatesOn],
];
