import {
  AuditUnavailableError,
  idSchema,
  type PartitionHead,
  type Verification,
} from '@agent-killswitch/core';
import { z } from 'zod';
import type { AuditContext } from './audit-routes.ts';
import { authoriseReading } from './audit-scope.ts';
import { inTurn } from './in-turn.ts';
import { type Route, route } from './route.ts';

/** How long one request checks, in milliseconds: every answer comes within 5 s. */
const forMs = 4_000;

const count = z.int().nonnegative();
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const head = z.object({ partition: z.string(), seq: count, hash: sha256Hex });
const placeSchema = z.strictObject({ count, upTo: head.optional() });

const verificationAnswer = z
  .object({
    ok: z.boolean().describe('false: a record is bad'),
    complete: z
      .boolean()
      .describe('whether everything was looked at; if not, and nothing is bad, go on with the cursor'),
    anchored: z
      .boolean()
      .describe('whether also held against checkpoints: if not, a chain that was cut off looks whole'),
    count: count
      .optional()
      .describe('how many records were checked so far, those before the cursor included'),
    upTo: head.optional().describe('the last record that is as it should be'),
    fault: z.string().optional().describe('what is wrong with the first bad record, in one word'),
    at: z
      .object({ partition: z.string(), seq: count, eventId: z.string().optional() })
      .optional()
      .describe('the first bad record'),
    cursor: z.string().optional().describe('give it back to go on from here; absent when it is over'),
  })
  .meta({ id: 'AuditVerification' });

/** Whether the record is what was put there: all of it for a super admin, its own chain for a workspace's admin. */
export const verifyRoutes: ReadonlyArray<Route<AuditContext>> = [
  route({
    method: 'GET',
    path: '/audit/verify',
    permission: 'read',
    summary: 'Checks the audit record for some seconds, from the beginning or from where the cursor says',
    query: z.strictObject({ workspaceId: idSchema.optional(), cursor: z.string().max(1_000).optional() }),
    answers: { 200: verificationAnswer },
    async handle(
      { ks, audit, cursors, verifying }: AuditContext,
      { workspaceId: named, cursor },
      { principal },
    ) {
      const workspaceId = await authoriseReading(ks, principal, { workspaceId: named });
      const question = { verify: true, workspaceId };
      const from = cursor === undefined ? { count: 0 } : cursors.open(cursor, question, placeSchema);
      const request = { forMs, ...(workspaceId && { workspaceId }), ...(from.upTo && { after: from.upTo }) };
      const found = await inTurn(verifying, async () => {
        if (audit.verify === undefined) throw new AuditUnavailableError('The audit sink cannot verify');
        return audit.verify(request);
      });
      const place = { count: from.count + found.count, ...(found.upTo && { upTo: found.upTo }) };
      const isOver = !found.ok || found.isComplete;
      const body = bodyOf(found, place, workspaceId);
      return { status: 200, body: isOver ? body : { ...body, cursor: cursors.seal(place, question) } };
    },
  }),
];

/** Where a record stands on a chain that others share, and how many there are, would tell how much they have there. */
function bodyOf(
  found: Verification,
  place: { readonly count: number; readonly upTo?: PartitionHead },
  workspaceId: string | undefined,
) {
  const isOwn = (partition: string | undefined): boolean =>
    workspaceId === undefined || partition === undefined || partition === workspaceId;
  const verdict = {
    ok: found.ok,
    complete: found.ok && found.isComplete,
    anchored: found.isAnchored,
    ...(isOwn(place.upTo?.partition) && place),
  };
  if (found.ok) return verdict;
  return { ...verdict, fault: found.fault, ...(isOwn(found.at.partition) && { at: found.at }) };
}
