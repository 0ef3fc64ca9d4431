import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { canonical, InvalidInputError, type PartitionHead, parseInput } from '@agent-killswitch/core';
import { z } from 'zod';
import { listOf, type PublicKeys } from './keys.ts';

const headSchema = z.strictObject({
  partition: z.string(),
  seq: z.number().int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
const checkpointSchema = z.strictObject({
  /** When it was made, RFC 3339. */
  at: z.iso.datetime({ precision: 3 }),
  /** The end of every chain at that time. */
  heads: z.array(headSchema),
  /** The first 16 hex digits of the SHA-256 of the public key (SPKI, DER). */
  keyId: z.string(),
  /** Ed25519 over the canonical JSON of the rest, in base64. */
  signature: z.string(),
});
/** Where every chain ended at a time, signed: who has it can tell whether what was before is still what it was. */
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** @param privateKey an Ed25519 key, as `createPrivateKey(pem)` makes it */
export function signCheckpoint(heads: readonly PartitionHead[], privateKey: KeyObject, at: Date): Checkpoint {
  const body = {
    at: at.toISOString(),
    heads: heads
      .map(({ partition, seq, hash }) => ({ partition, seq, hash }))
      .sort((a, b) => (a.partition < b.partition ? -1 : 1)),
    keyId: keyIdOf(createPublicKey(privateKey)),
  };
  const signature = sign(null, Buffer.from(canonical(body)), privateKey).toString('base64');
  return { ...body, signature };
}

/**
 * The checkpoint in one line of a checkpoint file.
 * @throws InvalidInputError if it is none, or not signed with one of these keys
 */
export function readCheckpoint(line: string, keys: PublicKeys): Checkpoint {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new InvalidInputError('checkpoint', ['it is no JSON']);
  }
  const checkpoint = parseInput('checkpoint', checkpointSchema, value);
  const { signature, ...body } = checkpoint;
  const publicKey = listOf(keys).find((key) => keyIdOf(key) === body.keyId);
  if (publicKey === undefined) {
    const known = listOf(keys).map(keyIdOf).join(', ');
    throw new InvalidInputError('checkpoint', [`keyId: signed with the key ${body.keyId}, not ${known}`]);
  }
  if (!verify(null, Buffer.from(canonical(body)), publicKey, Buffer.from(signature, 'base64'))) {
    throw new InvalidInputError('checkpoint', ['signature: it is not of this content']);
  }
  return checkpoint;
}

export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}
