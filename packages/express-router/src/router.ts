import { type AuditSink, InvalidConfigurationError, type Killswitch } from '@agent-killswitch/core';
import express, { type Router } from 'express';
import { agentRoutes } from './agent-routes.ts';
import { type AuditContext, auditRoutes } from './audit-routes.ts';
import { Cleanups } from './cleanups.ts';
import { addConsole, type ConsoleOptions } from './console.ts';
import { Cursors } from './cursors.ts';
import { addRoutes, type MappingOptions, mapRoutes } from './express-mapping.ts';
import type { HandlerContext } from './http.ts';
import { killswitchRoutes, ownRoutes } from './killswitch-routes.ts';
import { openApiRoute } from './openapi.ts';
import { OrderFeeds } from './order-feeds.ts';
import { Repeats } from './repeats.ts';
import { Shares } from './shares.ts';
import { Turns } from './turns.ts';
import { verifyRoutes } from './verify-routes.ts';

/** The store may be asked once more for the answer, and not answer for half a second. */
const defaultWaitMs = 4_000;

export interface RouterOptions extends MappingOptions {
  /**
   * How long a stop may keep its caller waiting before it is answered with 202, in milliseconds. Default 4,000, so
   * that every answer comes within 5 s (REQUIREMENTS B6).
   */
  readonly waitMs?: number;
  /** Serves the console, a page for people, at `/console/`. Default: it is not served. */
  readonly console?: boolean | ConsoleOptions;
}

export interface KillswitchRouterOptions extends RouterOptions {
  /** The sink that the killswitch has. With it there is `GET /audit`, and `GET /audit/verify` if it can verify. */
  readonly audit?: Pick<AuditSink, 'read' | 'verify'>;
  /**
   * 32 secret bytes, the same for all instances behind one address, so that each knows the cursors of the others. By
   * chance if not given.
   */
  readonly cursorKey?: Uint8Array;
}

/** How many may read the audit record at once. */
const readersAtOnce = 4;
/** Checking costs this process's time, also that which kills need: never two at once. */
const verifiersAtOnce = 1;

/**
 * The kill authority's endpoints (REQUIREMENTS A1 to A4), releases, orders, agents, status, the audit record and
 * `GET /openapi.json`, which lists them. Mount it where you like: `app.use('/api/orchestrator', …)`.
 * @throws InvalidConfigurationError without an `authenticate` function.
 */
export function killswitchRouter(ks: Killswitch, options: KillswitchRouterOptions): Router {
  const router = express.Router();
  const wanted = options?.console ?? false;
  if (wanted !== false) addConsole(router, wanted === true ? {} : wanted);
  addEndpoints(router, ks, options);
  return router;
}

function addEndpoints(router: Router, ks: Killswitch, options: KillswitchRouterOptions): void {
  const context = contextOf(ks, options);
  const audit = options?.audit;
  if (audit === undefined) {
    addRoutes(router, killswitchRoutes, context, options);
    return;
  }
  if (typeof audit?.read !== 'function')
    throw new InvalidConfigurationError(['audit: must be the audit sink of the killswitch']);
  const routes = [...ownRoutes, ...auditRoutes, ...(audit.verify === undefined ? [] : verifyRoutes)];
  const looking = {
    audit,
    cursors: new Cursors(options.cursorKey),
    turns: new Turns(readersAtOnce),
    verifying: new Turns(verifiersAtOnce),
  };
  const all = [...routes, openApiRoute(routes)];
  addRoutes<AuditContext>(router, all, { ...context, ...looking }, options);
}

/**
 * An orchestrator's own `POST /agents/:agentId/kill` and `POST /agents/kill-all`.
 * @throws InvalidConfigurationError without an `authenticate` function.
 */
export function agentRouter(ks: Killswitch, options: RouterOptions): Router {
  return mapRoutes(agentRoutes, contextOf(ks, options), options);
}

function contextOf(ks: Killswitch, options: RouterOptions): HandlerContext {
  return {
    ks,
    waitMs: options?.waitMs ?? defaultWaitMs,
    repeats: new Repeats(),
    cleanups: new Cleanups(),
    looks: new Shares(1),
    feeds: new OrderFeeds(ks),
  };
}
