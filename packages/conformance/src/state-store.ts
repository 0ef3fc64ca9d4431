import { admissionClauses } from './state-store-admission.ts';
import { admissionRaceClauses } from './state-store-admission-races.ts';
import { approvalClauses } from './state-store-approvals.ts';
import type { StateStoreClause } from './state-store-clause.ts';
import { clientClauses } from './state-store-clients.ts';
import { copyClauses } from './state-store-copies.ts';
import { depthClauses } from './state-store-depth.ts';
import { gateChangeClauses } from './state-store-gate-changes.ts';
import { gateClauses } from './state-store-gates.ts';
import { hostClauses } from './state-store-hosts.ts';
import { idClauses } from './state-store-ids.ts';
import { leaseClauses } from './state-store-leases.ts';
import { listingClauses } from './state-store-listings.ts';
import { manyClauses } from './state-store-many.ts';
import { orderClauses } from './state-store-orders.ts';
import { pagingClauses } from './state-store-paging.ts';
import { rejoinClauses } from './state-store-rejoin.ts';
import { swapClauses } from './state-store-swaps.ts';
import { wholeClauses } from './state-store-whole.ts';

export type { StateStoreClause, StateStoreFactory } from './state-store-clause.ts';

/** Every promise of the `StateStore` port. Each clause opens its own storage and disposes of it. */
export const stateStoreClauses: readonly StateStoreClause[] = [
  ...admissionClauses,
  ...admissionRaceClauses,
  ...swapClauses,
  ...listingClauses,
  ...pagingClauses,
  ...depthClauses,
  ...manyClauses,
  ...wholeClauses,
  ...copyClauses,
  ...orderClauses,
  ...gateClauses,
  ...gateChangeClauses,
  ...rejoinClauses,
  ...approvalClauses,
  ...leaseClauses,
  ...hostClauses,
  ...idClauses,
  ...clientClauses,
];
