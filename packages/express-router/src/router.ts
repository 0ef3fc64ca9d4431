import type { Killswitch } from '@agent-killswitch/core';
import express, { type Router } from 'express';
import { agentRoutes } from './agent-routes.ts';
import { addConsole, type ConsoleOptions } from './console.ts';
import { type MappingOptions, mapRoutes } from './express-mapping.ts';
import type { HandlerContext } from './http.ts';
import { killswitchRoutes } from './killswitch-routes.ts';
import { Repeats } from './repeats.ts';

const defaultWaitMs = 4_500;

export interface RouterOptions extends MappingOptions {
  /**
   * How long a stop may keep its caller waiting before it is answered with 202, in milliseconds. Default 4,500, so
   * that every answer comes within 5 s (REQUIREMENTS B6).
   */
  readonly waitMs?: number;
  /** Serves the console, a page for people, at `/console/`. Default: it is not served. */
  readonly console?: boolean | ConsoleOptions;
}

/**
 * The kill authority's endpoints (REQUIREMENTS A1 to A4), releases, orders, agents, status and `GET /openapi.json`,
 * which lists them. Mount it where you like: `app.use('/api/orchestrator', …)`.
 * @throws InvalidConfigurationError without an `authenticate` function.
 */
export function killswitchRouter(ks: Killswitch, options: RouterOptions): Router {
  const router = express.Router();
  const wanted = options?.console ?? false;
  if (wanted !== false) addConsole(router, wanted === true ? {} : wanted);
  return router.use(mapRoutes(killswitchRoutes, contextOf(ks, options), options));
}

/**
 * An orchestrator's own `POST /agents/:agentId/kill` and `POST /agents/kill-all`.
 * @throws InvalidConfigurationError without an `authenticate` function.
 */
export function agentRouter(ks: Killswitch, options: RouterOptions): Router {
  return mapRoutes(agentRoutes, contextOf(ks, options), options);
}

function contextOf(ks: Killswitch, options: RouterOptions): HandlerContext {
  return { ks, waitMs: options?.waitMs ?? defaultWaitMs, repeats: new Repeats() };
}
