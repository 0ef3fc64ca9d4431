import { openApiRoute } from './openapi.ts';
import { releaseRoutes } from './release-routes.ts';
import type { Route } from './route.ts';
import { stopRoutes } from './stop-routes.ts';
import { viewRoutes } from './view-routes.ts';

const routes = [...stopRoutes, ...releaseRoutes, ...viewRoutes];

/** Everything that `killswitchRouter` serves. */
export const killswitchRoutes: readonly Route[] = [...routes, openApiRoute(routes)];
