import { z } from 'zod';
import { idSchema, recordedReasonSchema, timeSchema } from './identifiers.ts';
import { actorSchema } from './principal.ts';

/** One person's consent to open the gates of exactly these orders. */
export const approvalSchema = z.strictObject({
  /** Sorted, no repeats. A stop that comes later is not among them and stays shut. */
  orderIds: z.array(idSchema).min(1),
  principal: actorSchema,
  reason: recordedReasonSchema,
  at: timeSchema,
});
export type Approval = z.infer<typeof approvalSchema>;
