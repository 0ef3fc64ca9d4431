/** How often, and with what pauses, a delivery is tried again. */
export interface RetryOptions {
  /** Attempts in all. Default 10: over some 30 hours. */
  readonly tries?: number;
  /** The first pause, in milliseconds; each is four times the one before. Default 5,000. */
  readonly firstMs?: number;
  /** No pause is longer, whatever the receiver's `Retry-After` asks for. Default 43,200,000 (12 h). */
  readonly longestMs?: number;
}

const factor = 4;

/**
 * The pause after the n-th failed attempt (n from 1), in milliseconds: between half and all of what is due, so that
 * deliveries that failed together do not come back together. `chance`: at least 0, below 1.
 */
export function backoffMs(n: number, { firstMs, longestMs }: Required<RetryOptions>, chance: number): number {
  const due = Math.min(longestMs, firstMs * factor ** (n - 1));
  return Math.round(due * (0.5 + chance / 2));
}
