import type { AuditEvent } from '@agent-killswitch/core';
import { killedEvent } from '../../test/support/audit-events.ts';

const chains = 3;

/** The n-th event of a round; every third one is on the same chain. */
export function ledgerEvent(round: number, n: number): AuditEvent {
  const id = `${round}-${String(n).padStart(6, '0')}`;
  return { ...killedEvent(n), id, workspaceId: `round-${round}-${n % chains}` };
}

/** The chains of a round. */
export function chainsOf(round: number): string[] {
  return Array.from({ length: chains }, (_, n) => `round-${round}-${n}`);
}
