import type { z } from 'zod';
import { InvalidInputError } from './errors.ts';

/** @throws InvalidInputError naming `what` and every fault. */
export function parseInput<S extends z.ZodType>(what: string, schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new InvalidInputError(what, issueLines(parsed.error));
  return parsed.data;
}

/** A zod error as lines that name the field. */
export function issueLines(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
}
