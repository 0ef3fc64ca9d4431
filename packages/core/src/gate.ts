import { z } from 'zod';
import { idSchema, recordedReasonSchema, timeSchema } from './identifiers.ts';
import { type StopOrder, stopOrderSchema } from './order.ts';
import { actorSchema } from './principal.ts';
import { scopeSchema } from './scope.ts';

/**
 * A durable bar on a scope, placed in the same atomic step as its stop order. A scope is shut while any gate on it
 * stands; `opens` says what lifts this one.
 */
export const gateSchema = z.strictObject({
  /** The order that shut it; every order shuts exactly one gate. */
  orderId: idSchema,
  scope: scopeSchema,
  /** The workspace the scope lies in; absent for a backend and for everything. */
  workspaceId: idSchema.optional(),
  opens: stopOrderSchema.shape.opens,
  reason: recordedReasonSchema,
  principal: actorSchema,
  shutAt: timeSchema,
});
export type Gate = z.infer<typeof gateSchema>;

/** The gate that an order shuts. */
export function gateOf(order: StopOrder): Gate {
  const { orderId, scope, workspaceId, opens, reason, principal, requestedAt } = order;
  const workspace = workspaceId === undefined ? {} : { workspaceId };
  return { orderId, scope, ...workspace, opens, reason, principal, shutAt: requestedAt };
}
