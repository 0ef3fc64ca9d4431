import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { canonical } from '@agent-killswitch/core';
import { keyIdOf } from './checkpoint.ts';
import { listOf, type PublicKeys } from './keys.ts';

/** Where a chain goes on after its older records were detached. */
export interface Break {
  readonly chain: string;
  /** Of the last record that was detached. */
  readonly seq: number;
  readonly hash: string;
  readonly position: string;
  /** The table that the records are in now. */
  readonly detached: string;
}

export function signBreak(mark: Break, privateKey: KeyObject): { keyId: string; signature: string } {
  const signature = sign(null, textOf(mark), privateKey).toString('base64');
  return { keyId: keyIdOf(createPublicKey(privateKey)), signature };
}

/** Whether somebody who has one of the keys has made this break. */
export function isSigned(mark: Break, signature: string, keys: PublicKeys | undefined): boolean {
  const bytes = Buffer.from(signature, 'base64');
  return listOf(keys).some((key) => verify(null, textOf(mark), key, bytes));
}

function textOf({ chain, seq, hash, position, detached }: Break): Buffer {
  return Buffer.from(canonical({ chain, seq, hash, position, detached }));
}
