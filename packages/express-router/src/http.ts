import type { Killswitch, Principal } from '@agent-killswitch/core';

/** An HTTP request as a value, so that handlers need no web framework. */
export interface HttpRequest {
  /** From the path, percent-decoded, unchecked. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** The last value of each query parameter given once; a parameter given twice is an array. Unchecked. */
  readonly query: Readonly<Record<string, unknown>>;
  /** The parsed JSON body, `undefined` without one. Unchecked. */
  readonly body: unknown;
  /** Who asks, from the service's own authentication. */
  readonly principal: Principal;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: unknown;
  /** A path below the router's mount point, for a `Location` header. */
  readonly location?: string;
}

export interface HandlerContext {
  readonly ks: Killswitch;
  /** How long a stop may keep the caller waiting, in milliseconds. */
  readonly waitMs: number;
}

/** One endpoint. `path` in Express notation, below the mount point. */
export interface Route<Context = HandlerContext> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** What the handler demands of the principal before it does anything; `own` routes filter what they show. */
  readonly permission: 'kill' | 'release' | 'read' | 'admit' | 'own';
  handle(context: Context, request: HttpRequest): Promise<HttpResponse>;
}
