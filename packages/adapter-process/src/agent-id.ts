import { InvalidInputError, idSchema } from '@agent-killswitch/core';

/** @throws InvalidInputError */
export function parseAgentId(given: string): string {
  const parsed = idSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(
    'agentId',
    parsed.error.issues.map((issue) => issue.message),
  );
}
