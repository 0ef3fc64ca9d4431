import { cleanupRoutes } from './cleanup-routes.ts';
import { openApiRoute } from './openapi.ts';
import { releaseRoutes } from './release-routes.ts';
import type { Route } from './route.ts';
import { stopRoutes } from './stop-routes.ts';
import { viewRoutes } from './view-routes.ts';

/** Without the document that lists them. */
export const ownRoutes: readonly Route[] = [...stopRoutes, ...releaseRoutes, ...cleanupRoutes, ...viewRoutes];

/** Everything that `killswitchRouter` serves if it has no audit sink. */
export const killswitchRoutes: readonly Route[] = [...ownRoutes, openApiRoute(ownRoutes)];
