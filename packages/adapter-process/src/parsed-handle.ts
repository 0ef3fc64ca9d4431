import { describeError } from '@agent-killswitch/core';
import type { z } from 'zod';
import { InvalidHandleError } from './errors.ts';

/** Whatever was given, as `schema` has it. @throws InvalidHandleError, also if reading it throws */
export function parsedHandle<T extends { readonly runtime: string }>(
  schema: z.ZodType<T>,
  given: unknown,
  runtime: string,
): T {
  let issues: string;
  try {
    const result = schema.safeParse(given);
    if (result.success) return ofRuntime(result.data, runtime);
    issues = result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ');
  } catch (thrown) {
    if (thrown instanceof InvalidHandleError) throw thrown;
    issues = describeError(thrown);
  }
  throw new InvalidHandleError(`Not a handle of runtime "${runtime}": ${issues}`);
}

function ofRuntime<T extends { readonly runtime: string }>(handle: T, runtime: string): T {
  if (handle.runtime === runtime) return handle;
  throw new InvalidHandleError(`A handle of runtime "${handle.runtime}" was given to runtime "${runtime}"`);
}
