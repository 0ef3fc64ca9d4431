import { idSchema, newAgentSchema } from '@agent-killswitch/core';
import { z } from 'zod';

const factsSchema = newAgentSchema
  .pick({ workspaceId: true, ownerId: true, taskId: true, parentId: true, agentType: true })
  .partial({ taskId: true });

export type AskedFacts = z.output<typeof factsSchema>;

/** What `Sessions.start` is given. */
export const startSchema = z.strictObject({
  sessionId: idSchema,
  facts: factsSchema,
  task: z.custom<unknown>((value) => typeof value === 'function', 'must be a function'),
});

/** What `Sessions.startWorker` is given. */
export const startWorkerSchema = z.strictObject({
  sessionId: idSchema,
  facts: factsSchema.extend({
    data: z.unknown().optional(),
    worker: z.looseObject({ eval: z.literal(false, 'a session is a file').optional() }).optional(),
  }),
  file: z.union([z.string().min(1), z.instanceof(URL)], 'must be a path or a URL'),
});
