import {
  isKillswitchError,
  type Killswitch,
  type Principal,
  type StopOrder,
  UnknownTargetError,
} from '@agent-killswitch/core';

/** @throws UnknownTargetError for an order that is not there or that the principal may not read: both look alike (I11). */
export async function readableOrder(ks: Killswitch, id: string, principal: Principal): Promise<StopOrder> {
  const order = await ks.order(id);
  const { orderId, scope, workspaceId, ownerId } = order;
  try {
    await ks.authorise({ principal, action: 'read', scope, workspaceId, ownerId });
    return order;
  } catch (error) {
    if (isKillswitchError(error, 'forbidden') || isKillswitchError(error, 'unknown-target'))
      throw new UnknownTargetError('order', orderId);
    throw error;
  }
}
