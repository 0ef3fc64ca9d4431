import type { Clock } from '@agent-killswitch/core';
import type { RetryOptions } from './backoff.ts';
import type { Resolve } from './connection.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { WebhookType } from './event-types.ts';

/** Somebody who wants to hear. They are told everything of the types they want, whatever workspace it is about. */
export interface WebhookEndpoint {
  /** `https://…`; `http://…` only into `networks`. */
  readonly url: string;
  /**
   * `whsec_` and 24 to 64 random bytes in base64, shared with the receiver. While one takes the place of another, give both:
   * each message is signed with all of them. At most 5.
   */
  readonly secrets: readonly string[];
  /** What it is called wherever it is spoken of. Default: the URL's host. */
  readonly name?: string;
  /** Default: all of them. */
  readonly events?: readonly WebhookType[];
  /**
   * Addresses and networks (`10.1.0.0/16`) that may be sent to although they are not public, and without encryption too.
   * Default: none.
   */
  readonly networks?: readonly string[];
  /** How many redirects with status 307 or 308 are followed, each looked at like the URL itself. Default 0, at most 5. */
  readonly redirects?: number;
}

export interface WebhooksOptions {
  readonly endpoints: readonly WebhookEndpoint[];
  /** Where messages go that could not be delivered. Default: {@link memoryDeadLetters}. */
  readonly deadLetters?: DeadLetters;
  readonly retry?: RetryOptions;
  /** For one attempt, in milliseconds. Default 15,000. */
  readonly attemptMs?: number;
  /** How many messages may wait for one endpoint. Default 10,000. */
  readonly mostWaiting?: number;
  /** How many attempts one endpoint gets at a time. Default 4. */
  readonly atOnce?: number;
  /** Told, as one line without secrets, when an endpoint is gone or begins to lose messages. Default: `console.error`. */
  readonly onTrouble?: (line: string) => void;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** For the pauses: at least 0, below 1. Default: `Math.random`. */
  readonly chance?: () => number;
  /** Finds the addresses of host names. Default: as the machine does. */
  readonly resolve?: Resolve;
}
