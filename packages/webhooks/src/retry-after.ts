/** What a `Retry-After` header asks for, in milliseconds from now: seconds or an HTTP date (RFC 9110). Nonsense is nothing. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.length > 64) return undefined;
  if (/^\s*\d{1,15}\s*$/.test(header)) return Number(header) * 1_000;
  const at = /^[A-Z][a-z]{2},/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
