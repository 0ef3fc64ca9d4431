import {
  type AuditQuery,
  type AuditRecord,
  type AuditSink,
  auditEventSchema,
  auditPage,
  idSchema,
} from '@agent-killswitch/core';
import { z } from 'zod';
import { authoriseReading } from './audit-scope.ts';
import { type Cursors, placeSchema } from './cursors.ts';
import type { HandlerContext } from './http.ts';
import { inTurn } from './in-turn.ts';
import { type Route, route } from './route.ts';
import type { Turns } from './turns.ts';

export interface AuditContext extends HandlerContext {
  readonly audit: Pick<AuditSink, 'read' | 'verify'>;
  readonly cursors: Cursors;
  /** How many may read at once. */
  readonly turns: Turns;
  /** How many may verify at once. */
  readonly verifying: Turns;
}

const types = auditEventSchema.options.map((option) => option.shape.type.value);
const time = z.iso.datetime({ offset: true });
const questionSchema = z.strictObject({
  workspaceId: idSchema.optional(),
  taskId: idSchema.optional(),
  orderId: idSchema.optional(),
  principalId: idSchema.optional(),
  type: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(types)).max(types.length))
    .optional()
    .describe('one type of event, or several with commas between them'),
  from: time.optional().describe('when it happened at the earliest'),
  until: time.optional().describe('before when it happened'),
});
const querySchema = questionSchema.extend({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(1_000).optional(),
});

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const auditAnswer = z
  .object({
    records: z.array(
      z.object({
        partition: z.string().optional().describe('the chain that the record is on'),
        seq: z.int().nonnegative().optional(),
        prev: sha256Hex.optional(),
        hash: sha256Hex.optional(),
        event: z.looseObject({ id: z.string(), type: z.enum(types), time: z.iso.datetime() }),
      }),
    ),
    cursor: z.string().optional().describe('give it back for the next page; absent on the last'),
  })
  .meta({ id: 'AuditRecords' });

/** The audit record, page by page: a super admin's whole, a workspace admin's workspace, a member's own tasks. */
export const auditRoutes: ReadonlyArray<Route<AuditContext>> = [
  route({
    method: 'GET',
    path: '/audit',
    permission: 'read',
    summary: 'The audit record, oldest first, page by page',
    query: querySchema,
    answers: { 200: auditAnswer },
    async handle({ ks, audit, cursors, turns }: AuditContext, { limit, cursor, ...question }, { principal }) {
      const workspaceId = await authoriseReading(ks, principal, question);
      const asked = { ...question, workspaceId };
      const after = cursor === undefined ? undefined : cursors.open(cursor, asked, placeSchema);
      const wanted = queryOf(asked, after);
      const { records, next } = await inTurn(turns, () => auditPage(audit, wanted, limit));
      return {
        status: 200,
        body: {
          // A sink that minds no workspace must not open the others (I11).
          records: records
            .filter(({ event }) => workspaceId === undefined || event.workspaceId === workspaceId)
            .map((record) => bodyOf(record, workspaceId)),
          ...(next === undefined ? {} : { cursor: cursors.seal(next, asked) }),
        },
      };
    },
  }),
];

type Question = z.output<typeof questionSchema>;

function queryOf({ type, from, until, ...ids }: Question, after: AuditQuery['after']): AuditQuery {
  const times = { from: from && Date.parse(from), until: until && Date.parse(until) };
  const given = Object.entries({ ...ids, ...times, types: type, after });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** Where a record stands on a chain that others share would tell how much they have there. */
function bodyOf({ event, ...place }: AuditRecord, workspaceId: string | undefined) {
  return workspaceId === undefined || place.partition === workspaceId ? { ...place, event } : { event };
}
