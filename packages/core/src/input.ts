import type { z } from 'zod';
import { describeError, InvalidInputError } from './errors.ts';

/** @throws InvalidInputError naming `what` and every fault. */
export function parseInput<S extends z.ZodType>(what: string, schema: S, input: unknown): z.output<S> {
  const parsed = reading(what, () => schema.safeParse(input));
  if (!parsed.success) throw new InvalidInputError(what, issueLines(parsed.error));
  return parsed.data;
}

/** An id of something that is looked up: what it is an id of is found, or not. @throws InvalidInputError if it is no text. */
export function textInput(what: string, input: unknown): string {
  if (typeof input !== 'string') throw new InvalidInputError(what, ['must be a string']);
  return input;
}

/** Getters of what was given may throw. */
function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidInputError(what, [`cannot be read: ${describeError(error)}`]);
  }
}

/** A zod error as lines that name the field. */
export function issueLines(error: z.ZodError): string[] {
  return error.issues.flatMap(nearest).map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
}

/** Of a choice, what is wrong with the only one that was meant, going by the names that were given. */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.filter((faults) => !faults.some(({ code }) => code === 'unrecognized_keys'));
  const [only, ...others] = meant;
  if (only === undefined || others.length > 0) return [issue];
  return only.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
}
