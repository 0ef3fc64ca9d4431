import {
  type AuditQuery,
  type AuditRecord,
  type AuditSink,
  AuditUnavailableError,
  auditEventSchema,
  auditPage,
  idSchema,
  isKillswitchError,
} from '@agent-killswitch/core';
import { z } from 'zod';
import { authoriseReading } from './audit-scope.ts';
import type { Cursors } from './cursors.ts';
import type { HandlerContext } from './http.ts';
import { type Route, route } from './route.ts';
import type { Turns } from './turns.ts';
import { within } from './within.ts';

const readMs = 10_000;

export interface AuditContext extends HandlerContext {
  readonly audit: Pick<AuditSink, 'read'>;
  readonly cursors: Cursors;
  /** How many may read at once. */
  readonly turns: Turns;
}

const types = auditEventSchema.options.map((option) => option.shape.type.value);
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
        partition: idSchema.optional().describe('the chain that the record is on'),
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
      const after = cursor === undefined ? undefined : cursors.open(cursor, asked);
      const wanted = queryOf(asked, after);
      const { records, next } = await reading(turns, () => auditPage(audit, wanted, limit));
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

function queryOf({ type, ...ids }: Question, after: AuditQuery['after']): AuditQuery {
  const given = Object.entries({ ...ids, types: type, after }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** Where a record stands on a chain that others share would tell how much they have there. */
function bodyOf({ event, ...place }: AuditRecord, workspaceId: string | undefined) {
  return workspaceId === undefined || place.partition === workspaceId ? { ...place, event } : { event };
}

/** @throws AuditUnavailableError */
async function reading<T>(turns: Turns, read: () => Promise<T>): Promise<T> {
  const work = turns.take(read);
  if (work === undefined)
    throw new AuditUnavailableError('Others are reading the audit record: ask again in a moment');
  try {
    return await within(readMs, () => work);
  } catch (error) {
    if (isKillswitchError(error, 'invalid-input') || isKillswitchError(error, 'audit-unavailable'))
      throw error;
    throw new AuditUnavailableError('The audit record cannot be read now', { cause: error });
  }
}
