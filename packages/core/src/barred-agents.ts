import { type Agent, isKillable } from './agent.ts';
import type { GuardedEvents } from './events.ts';
import type { Gate } from './gate.ts';
import type { StopOrder } from './order.ts';
import type { Actor } from './principal.ts';
import { scopeKey, scopeKeysOf } from './scope.ts';
import type { Stops } from './stops.ts';
import { type SystemOrderHost, systemOrder } from './system-order.ts';

/** Who stops, on the record, agents that are put back under a gate. */
export const rejoinPrincipal: Actor = { id: 'system:rejoin', kind: 'service' };

/** Of the gates that stand those that bar one of these agents, which live and which nobody kills, each gate once. */
export function gatesOver(agents: readonly Agent[], gates: readonly Gate[]): Gate[] {
  const byKey = new Map<string, Gate>();
  for (const gate of gates) byKey.set(scopeKey(gate.scope), gate);
  const found = new Set<Gate>();
  for (const agent of agents.filter(isKillable)) {
    for (const key of scopeKeysOf(agent)) {
      const gate = byKey.get(key);
      if (gate !== undefined) found.add(gate);
    }
  }
  return [...found];
}

/**
 * The store had lost agents of this host, and a stop has settled there without them: they are stopped now, by an order of the
 * same scope for each such stop (I1). `orders`: those stops.
 */
export function stopBarred(
  host: SystemOrderHost & { readonly stops: Stops; readonly events: GuardedEvents },
  orders: readonly StopOrder[],
): void {
  const { stops, events, hostId } = host;
  for (const { orderId, scope, workspaceId, ownerId } of orders) {
    const order = systemOrder(host, {
      scope,
      ...(workspaceId === undefined ? {} : { workspaceId }),
      ...(ownerId === undefined ? {} : { ownerId }),
      principal: rejoinPrincipal,
      reason: `stop ${orderId} holds, and the state store had lost agents of host "${hostId}" when that was carried out`,
      policyVersion: 'rejoin/1',
    });
    stops.place(order).catch((error: unknown) => {
      events.emit('warning', {
        message: `Agents under stop "${orderId}" were not stopped: ${String(error)}`,
      });
    });
  }
}
