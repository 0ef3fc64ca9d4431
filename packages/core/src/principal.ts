import { z } from 'zod';
import { idSchema } from './identifiers.ts';

const memberGrant = z.strictObject({ role: z.enum(['member', 'workspace-admin']), workspaceId: idSchema });
const superAdminGrant = z.strictObject({ role: z.literal('super-admin') });

/** One role a principal holds. `member` and `workspace-admin` hold in one workspace, `super-admin` everywhere. */
export const grantSchema = z.discriminatedUnion('role', [memberGrant, superAdminGrant]);
export type Grant = z.infer<typeof grantSchema>;
export type Role = Grant['role'];

/**
 * Who asks. It comes from the caller's authentication, never from a request body. `kind: 'agent'` marks a principal
 * that is itself an agent: it may be granted a kill, never a release (I9).
 */
export const principalSchema = z.strictObject({
  id: idSchema,
  kind: z.enum(['user', 'service', 'agent']),
  grants: z.array(grantSchema).max(1_000).readonly(),
});
export type Principal = z.infer<typeof principalSchema>;

/** What of a principal stands on the record: enough to name it, nothing that authenticates it. */
export const actorSchema = principalSchema.pick({ id: true, kind: true });
export type Actor = z.infer<typeof actorSchema>;

export function actorOf(principal: Principal): Actor {
  return { id: principal.id, kind: principal.kind };
}
