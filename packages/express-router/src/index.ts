export { agentRoutes } from './agent-routes.ts';
export type { Problem, StopResponse } from './answers.ts';
export { type AuditContext, auditRoutes } from './audit-routes.ts';
export type { Authenticate } from './authentication.ts';
export { stopBody } from './bodies.ts';
export type { ConsoleOptions } from './console.ts';
export { Cursors } from './cursors.ts';
export { type MappingOptions, mapRoutes, noSuchRoute, problemHandler } from './express-mapping.ts';
export type { HandlerContext, HttpRequest, HttpResponse, Permission, ServerEvent } from './http.ts';
export { killswitchRoutes } from './killswitch-routes.ts';
export { openApi } from './openapi.ts';
export { HttpError, problemOf } from './problem.ts';
export { type Route, route } from './route.ts';
export {
  agentRouter,
  type KillswitchRouterOptions,
  killswitchRouter,
  type RouterOptions,
} from './router.ts';
export { stopResponse } from './stop-response.ts';
export { Turns } from './turns.ts';
export { verifyRoutes } from './verify-routes.ts';
