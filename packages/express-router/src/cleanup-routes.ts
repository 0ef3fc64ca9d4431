import { cleaningAnswer, cleanupAnswer } from './answers.ts';
import { retriedCleanup } from './cleanups.ts';
import { agentParam, idParam } from './input.ts';
import { readableOrder } from './readable-order.ts';
import { type Route, route } from './route.ts';

/** 200 when it was tried, 202 while it is being tried. */
const answers = { 200: cleanupAnswer, 202: cleaningAnswer };

/** Has failed cleanup steps tried now, for whoever may kill what they clean up after. */
export const cleanupRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/agents/:agentId/cleanup',
    permission: 'kill',
    summary: 'Tries the failed cleanup steps of an ended agent again, now',
    params: agentParam,
    answers,
    async handle(context, { agentId }, { principal }) {
      // Finds and refuses as the kill does: what is foreign looks like what is not there, in an outage too (I11).
      await context.ks.preview({ agent: agentId }, principal);
      return retriedCleanup(context, { agentId });
    },
  }),
  route({
    method: 'POST',
    path: '/orders/:id/cleanup',
    permission: 'kill',
    summary: 'Tries the failed cleanup steps of all agents that a stop order has killed again, now',
    params: idParam,
    answers,
    async handle(context, { id }, { principal }) {
      const { scope, workspaceId, ownerId } = await readableOrder(context.ks, id, principal);
      await context.ks.authorise({ principal, action: 'kill', scope, workspaceId, ownerId });
      return retriedCleanup(context, { orderId: id });
    },
  }),
];
