import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** Lower-case hex SHA-256 of a string's UTF-8 bytes. Injectable so that a host can use a native one. */
export type Sha256 = (text: string) => string;

const encoder = new TextEncoder();
/** Holds the text of nearly every event, so that hashing one allocates no bytes of its own. */
const shared = new Uint8Array(16_384);
const longestUnit = 3;

export const sha256: Sha256 = (text) => {
  if (text.length * longestUnit > shared.length) return bytesToHex(nobleSha256(encoder.encode(text)));
  const { written } = encoder.encodeInto(text, shared);
  return bytesToHex(nobleSha256(shared.subarray(0, written)));
};
