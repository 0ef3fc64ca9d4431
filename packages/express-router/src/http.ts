import type { Killswitch, Principal } from '@agent-killswitch/core';
import type { Cleanups } from './cleanups.ts';
import type { OrderFeeds } from './order-feeds.ts';
import type { Repeats } from './repeats.ts';
import type { Shares } from './shares.ts';

/** An HTTP request as a value, so that handlers need no web framework. */
export interface HttpRequest {
  /** From the path, percent-decoded, unchecked. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** A query parameter given once is a string, one given twice an array. Unchecked. */
  readonly query: Readonly<Record<string, unknown>>;
  /** The parsed JSON body, `undefined` without one. Unchecked. */
  readonly body: unknown;
  /** The headers that handlers read, unchecked. */
  readonly headers: {
    readonly idempotencyKey?: string | undefined;
    readonly lastEventId?: string | undefined;
    readonly prefer?: string | undefined;
  };
  /** Who asks, from the service's own authentication. */
  readonly principal: Principal;
}

export interface HttpResponse {
  readonly status: number;
  /** What is sent as JSON. */
  readonly body?: unknown;
  /** A path below the router's mount point, for a `Location` header. */
  readonly location?: string;
  /** Server-sent events instead of a body, some at a time, until they end or the signal says that the caller is gone. */
  readonly events?: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>;
}

/** One server-sent event; `data` is sent as JSON on one line. */
export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

export interface HandlerContext {
  readonly ks: Killswitch;
  /** How long a stop may keep the caller waiting, in milliseconds. */
  readonly waitMs: number;
  /** What was asked under an `Idempotency-Key`. */
  readonly repeats: Repeats;
  /** Cleanups that are tried again just now. */
  readonly cleanups: Cleanups;
  /** Long work on what somebody only looks at, a little at a time. */
  readonly looks: Shares;
  /** The steps of orders that somebody listens to. */
  readonly feeds: OrderFeeds;
}

/** What the handler demands of the principal before it does anything; `own` routes filter what they show. */
export type Permission = 'kill' | 'release' | 'read' | 'admit' | 'own';
