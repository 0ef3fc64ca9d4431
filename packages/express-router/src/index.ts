export { agentRoutes } from './agent-routes.ts';
export {
  type Authenticate,
  type MappingOptions,
  mapRoutes,
  noSuchRoute,
  problemHandler,
} from './express-mapping.ts';
export type { HandlerContext, HttpRequest, HttpResponse, Route } from './http.ts';
export { pathId } from './input.ts';
export { killswitchRoutes } from './killswitch-routes.ts';
export { HttpError, type Problem, problemOf } from './problem.ts';
export { agentRouter, killswitchRouter, type RouterOptions } from './router.ts';
export { type StopResponse, stopBody, stopResponse } from './stop-response.ts';
