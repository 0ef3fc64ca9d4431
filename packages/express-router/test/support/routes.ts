import { agentRoutes, auditRoutes, killswitchRoutes, type Route, verifyRoutes } from '../../src/index.ts';

/** A route, whatever its handler needs. */
export type AnyRoute = Route<never>;

/** Every route there is. */
export const routes: readonly AnyRoute[] = [
  ...killswitchRoutes,
  ...auditRoutes,
  ...verifyRoutes,
  ...agentRoutes,
];

export const nameOf = ({ method, path }: AnyRoute): string => `${method} ${path}`;

/** For `it.each`. */
export const namedRoutes = routes.map((route) => [nameOf(route), route] as const);
