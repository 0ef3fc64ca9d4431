import { KeyObject } from 'node:crypto';
import { InvalidConfigurationError } from '@agent-killswitch/core';
import { z } from 'zod';

/** One public key, or several: what was signed before a change of keys stays signed with the old one. */
export type PublicKeys = KeyObject | readonly KeyObject[];

const keySchema = z.custom<KeyObject>((value) => value instanceof KeyObject, 'must be a KeyObject');
export const keysSchema = z.union([keySchema, z.array(keySchema).min(1)]);

export function listOf(keys: PublicKeys | undefined): readonly KeyObject[] {
  if (keys === undefined) return [];
  return keys instanceof KeyObject ? [keys] : keys;
}

/** Known at once, and not when something is to be signed for the first time. @throws InvalidConfigurationError */
export function requireSigningKey(what: string, key: KeyObject): void {
  if (key instanceof KeyObject && key.type === 'private' && key.asymmetricKeyType === 'ed25519') return;
  throw new InvalidConfigurationError([`${what} privateKey: must be a private key of Ed25519`]);
}
