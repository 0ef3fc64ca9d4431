export const agentKinds = [
  'child',
  'deaf child',
  'forking child',
  'session',
  'deaf session',
  'worker',
] as const;
export type AgentKind = (typeof agentKinds)[number];

/** What `fixtures/service.ts` is to do. */
export interface ServicePlan {
  /** For everything that lasts. */
  readonly folder: string;
  readonly graceMs?: number;
  readonly confirmWithin?: number;
  /** Agents to start, one after the other. Their ids are the prefix (`a-`) and 0, 1, … */
  readonly kinds?: readonly AgentKind[];
  readonly prefix?: string;
  /** One every 3 ms, whether the one before has started or not. */
  readonly atOnce?: boolean;
  /** What it is behind. Default `node`. `nest hooks`: Nest hears the signals, and calls `shutdown` in a hook. */
  readonly server?: 'node' | 'express' | 'nest' | 'nest hooks';
  /** On SIGTERM, also calls `shutdown` by hand, twice. */
  readonly callTwice?: boolean;
}

/** What it tells. */
export type Told =
  | { readonly port: number; readonly pid: number }
  | { readonly ready: true }
  | { readonly started: string }
  | { readonly refused: true }
  | { readonly fault: string }
  | { readonly same: boolean }
  /** A request for the end of this session has come. */
  | { readonly waiting: string }
  /** The task of a deaf session has begun. */
  | { readonly deaf: string }
  /** A checkpoint that is stored. */
  | { readonly saved: string; readonly value: number }
  /** A checkpoint that nobody has waited for, the session's last. */
  | { readonly last: string };
