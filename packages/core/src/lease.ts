import { z } from 'zod';
import { idSchema, timeSchema } from './identifiers.ts';

/** A host's word that it is alive, until a time. */
export const leaseSchema = z.strictObject({ hostId: idSchema, until: timeSchema });
export type Lease = z.infer<typeof leaseSchema>;
