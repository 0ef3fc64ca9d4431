import {
  isKillswitchError,
  type Killswitch,
  type Principal,
  UnknownTargetError,
} from '@agent-killswitch/core';

/** @throws UnknownTargetError for an order that is not there or that the principal may not read: both look alike (I11). */
export async function readableOrder(ks: Killswitch, id: string, principal: Principal): Promise<void> {
  const { orderId, scope, workspaceId, ownerId } = await ks.order(id);
  try {
    await ks.authorise({ principal, action: 'read', scope, workspaceId, ownerId });
  } catch (error) {
    if (isKillswitchError(error, 'forbidden') || isKillswitchError(error, 'unknown-target'))
      throw new UnknownTargetError('order', orderId);
    throw error;
  }
}
