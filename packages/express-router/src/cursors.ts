import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  canonical,
  InvalidConfigurationError,
  InvalidInputError,
  type RecordPlace,
} from '@agent-killswitch/core';
import { z } from 'zod';

const cipher = 'aes-256-gcm';
const bytes = { key: 32, nonce: 12, tag: 16 };
/** Where a page of the record ends. */
export const placeSchema: z.ZodType<RecordPlace> = z.strictObject({
  partition: z.string(),
  seq: z.number().int().nonnegative(),
});

/**
 * Places in the record as texts that say nothing: where somebody stands would tell how much others have on record, and a
 * place of one's own choosing would tell whether something is there (I11). A cursor is of one question only.
 */
export class Cursors {
  readonly #key: Uint8Array;

  /** `key`: 32 secret bytes. By chance if not given: then cursors end with the process. @throws InvalidConfigurationError */
  constructor(key: Uint8Array = randomBytes(bytes.key)) {
    if (!(key instanceof Uint8Array) || key.length !== bytes.key)
      throw new InvalidConfigurationError([`cursorKey: must be ${bytes.key} bytes`]);
    this.#key = key;
  }

  seal(place: object, question: unknown): string {
    const nonce = randomBytes(bytes.nonce);
    const sealing = createCipheriv(cipher, this.#key, nonce).setAAD(Buffer.from(canonical(question)));
    const text = Buffer.concat([sealing.update(JSON.stringify(place), 'utf8'), sealing.final()]);
    return Buffer.concat([nonce, sealing.getAuthTag(), text]).toString('base64url');
  }

  /** @throws InvalidInputError for a cursor that is none of this key, this question and this shape */
  open<Place>(cursor: string, question: unknown, shape: z.ZodType<Place>): Place {
    try {
      const sealed = Buffer.from(cursor, 'base64url');
      const nonce = sealed.subarray(0, bytes.nonce);
      const tag = sealed.subarray(bytes.nonce, bytes.nonce + bytes.tag);
      const opening = createDecipheriv(cipher, this.#key, nonce, { authTagLength: bytes.tag })
        .setAAD(Buffer.from(canonical(question)))
        .setAuthTag(tag);
      const text = opening.update(sealed.subarray(bytes.nonce + bytes.tag), undefined, 'utf8');
      return shape.parse(JSON.parse(text + opening.final('utf8')));
    } catch {
      throw new InvalidInputError('query', [
        'cursor: not one that this question was answered with; ask anew',
      ]);
    }
  }
}
