import { z } from 'zod';
import { idSchema, recordedReasonSchema, timeSchema } from './identifiers.ts';
import { actorSchema } from './principal.ts';

/** One person's consent to open the gates of exactly these orders. */
export const approvalSchema = z.strictObject({
  /**
   * Sorted, no repeats. A stop that comes later is not among them and stays shut. For the store: an order that stops have
   * joined is named a second time with how many, `ord_1+2`, so that approvals given before the newest are not among these.
   */
  orderIds: z.array(idSchema).min(1),
  principal: actorSchema,
  reason: recordedReasonSchema,
  at: timeSchema,
});
export type Approval = z.infer<typeof approvalSchema>;
