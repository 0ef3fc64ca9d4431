import { createHash } from 'node:crypto';
import type { WebhookType } from './event-types.ts';

/** One thing to tell, the same for every endpoint and at every try. */
export interface Message {
  /**
   * The `webhook-id`: `msg_` and 32 hexadecimal digits, without anything that somebody chose. The same fact has the same
   * one, whichever host tells it and however often, so that a receiver can drop repeats.
   */
  readonly id: string;
  readonly type: WebhookType;
  /** The JSON that is signed and sent, byte for byte: `{ type, timestamp, data }`. */
  readonly body: string;
}

/** What happened, not written out yet: that is left to its delivery, off the way of a kill. */
export interface News {
  readonly type: WebhookType;
  /** What tells this fact from every other. */
  readonly fact: string;
  /** RFC 3339: when it happened. */
  readonly timestamp: string;
  readonly data: unknown;
}

export function messageOf({ type, fact, timestamp, data }: News): Message {
  const id = `msg_${createHash('sha256').update(fact).digest('hex').slice(0, 32)}`;
  return { id, type, body: JSON.stringify({ type, timestamp, data }) };
}
