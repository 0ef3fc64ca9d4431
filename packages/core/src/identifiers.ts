import { z } from 'zod';

/** Names that would reach into an object's prototype if anyone used an id as a property key. */
const reserved = new Set(['__proto__', 'prototype', 'constructor']);

/**
 * An id given by the embedding service: 1 to 128 characters out of `A-Z a-z 0-9 . _ : @ | + = ~ -`, not starting
 * with a dot. No slash, white space, control character or brace: ids become file names, URL segments and store keys.
 */
export const idSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_:@|+=~-][A-Za-z0-9._:@|+=~-]{0,127}$/,
    'must be 1 to 128 of A-Z a-z 0-9 . _ : @ | + = ~ -, not starting with a dot',
  )
  .refine((id) => !reserved.has(id), 'is a reserved word');

/** Longest accepted reason, in UTF-16 units. */
export const maxReasonLength = 2_000;

/** Why a principal acts: mandatory, not blank, at most {@link maxReasonLength} long (REQUIREMENTS A6). */
export const reasonSchema = z
  .string()
  .max(maxReasonLength, `must be at most ${maxReasonLength} characters`)
  .refine((reason) => /[^\s\p{C}]/u.test(reason), 'must not be blank')
  .refine((reason) => reason.isWellFormed(), 'must be well-formed Unicode')
  .refine((reason) => !/[^\P{Cc}\t\n\r]/u.test(reason), 'must not hold control characters');

/** A reason as it stands in a record: what was accepted once is read back whatever is asked of new ones. */
export const recordedReasonSchema = z.string().max(maxReasonLength);

/** A point in time: whole milliseconds since the Unix epoch. */
export const timeSchema = z.number().int().nonnegative();
