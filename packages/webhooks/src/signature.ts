import { createHmac } from 'node:crypto';

/** Standard Webhooks, "Signature scheme": a symmetric secret is 24 to 64 random bytes. */
const bytes = { least: 24, most: 64 };
const prefix = 'whsec_';

/** The key that a secret stands for, `whsec_` and its bytes in base64; `undefined` if it is none. */
export function keyOf(secret: string): Buffer | undefined {
  if (!secret.startsWith(prefix)) return undefined;
  const encoded = secret.slice(prefix.length);
  const key = Buffer.from(encoded, 'base64');
  // Node takes whatever looks a little like base64.
  if (key.toString('base64') !== encoded) return undefined;
  return key.length >= bytes.least && key.length <= bytes.most ? key : undefined;
}

/** The headers of one attempt, signed with every key, so that a receiver may know the new secret or still the old one. */
export function signedHeaders(
  keys: readonly Buffer[],
  { id, body }: { readonly id: string; readonly body: string },
  atMs: number,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const content = `${id}.${timestamp}.${body}`;
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
