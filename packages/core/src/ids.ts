/** Chance, injected: fills the array with random bytes. Default: the Web Crypto source of Node and browsers. */
export type RandomBytes = (bytes: Uint8Array) => void;

export const cryptoRandomBytes: RandomBytes = (bytes) => {
  if (bytes.length > pool.length) {
    globalThis.crypto.getRandomValues(bytes);
    return;
  }
  if (drawn + bytes.length > pool.length) {
    globalThis.crypto.getRandomValues(pool);
    drawn = 0;
  }
  bytes.set(pool.subarray(drawn, drawn + bytes.length));
  drawn += bytes.length;
};

/** Asking the source costs more than all the rest of an id: it is asked for many at a time. Each byte is used once. */
const pool = new Uint8Array(4_096);
let drawn: number = pool.length;

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID: 10 characters of time (milliseconds since the Unix epoch), 16 of chance, Crockford base 32. */
export function ulid(at: number, random: RandomBytes): string {
  const bytes = new Uint8Array(16);
  random(bytes);
  let text = timePart(at);
  for (const byte of bytes) text += alphabet.charAt(byte % 32);
  return text;
}

/**
 * An id that is the same whenever the same fact is told again, so that a record repeated after a crash can be recognised
 * (I4), and sorts with ULIDs. `at`: when the fact came about; `fact`: what it is, in one unambiguous string.
 */
export function factId(at: number, fact: string): string {
  return `${timePart(at)}-${fact}`;
}

function timePart(at: number): string {
  let rest = at;
  let text = '';
  for (let i = 0; i < 10; i++) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
