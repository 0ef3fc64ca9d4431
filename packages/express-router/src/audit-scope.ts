import { InvalidInputError, type Killswitch, type Principal } from '@agent-killswitch/core';
import { readableOrder } from './readable-order.ts';

/** What of the record somebody asks for. */
export interface AuditQuestion {
  readonly workspaceId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly orderId?: string | undefined;
}

/**
 * Authorises the reading of everything that the question is about: the named workspace; else everything or the one
 * workspace that the principal administers; else the named task or order, as its owner may.
 * @returns the workspace that the answer is restricted to; `undefined`: none
 * @throws InvalidInputError if the principal has to choose; ForbiddenError; UnknownTargetError, the same for what is not
 *   there and what is of a foreign workspace (I11)
 */
export async function authoriseReading(
  ks: Killswitch,
  principal: Principal,
  { workspaceId: named, taskId, orderId }: AuditQuestion,
): Promise<string | undefined> {
  const workspaceId = named ?? onlyAdministered(principal);
  if (workspaceId !== undefined) {
    await ks.authorise({ principal, action: 'read', scope: { workspace: workspaceId }, workspaceId });
    return workspaceId;
  }
  const isSuperAdmin = principal.grants.some(({ role }) => role === 'super-admin');
  if (taskId !== undefined && !isSuperAdmin) {
    const task = await ks.task(taskId);
    await ks.authorise({ principal, action: 'read', scope: { task: taskId }, ...task });
    return task.workspaceId;
  }
  if (orderId !== undefined && !isSuperAdmin)
    return (await readableOrder(ks, orderId, principal)).workspaceId;
  if (!isSuperAdmin && principal.grants.some(({ role }) => role === 'workspace-admin'))
    throw new InvalidInputError('query', ['workspaceId: you administer several workspaces; name one']);
  await ks.authorise({ principal, action: 'read', scope: { everything: true } });
  return undefined;
}

/** `undefined` for a super admin, who has authority over all. */
function onlyAdministered({ grants }: Principal): string | undefined {
  if (grants.some(({ role }) => role === 'super-admin')) return undefined;
  const [only, ...others] = new Set(
    grants.flatMap((grant) => (grant.role === 'workspace-admin' ? [grant.workspaceId] : [])),
  );
  return others.length === 0 ? only : undefined;
}
