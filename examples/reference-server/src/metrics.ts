import { createHash, timingSafeEqual } from 'node:crypto';
import type { Killswitch } from '@agent-killswitch/core';
import { type Authenticate, HttpError } from '@agent-killswitch/express-router';
import { killswitchMetrics } from '@agent-killswitch/telemetry/prometheus';
import type { RequestHandler } from 'express';
import { Registry } from 'prom-client';

export interface MetricsAccess {
  readonly authenticate: Authenticate;
  /** Reads the metrics and nothing else: what a Prometheus is given. */
  readonly metricsToken?: string;
}

/**
 * `GET /metrics`: they count what happens in every workspace, so they are for whoever has the token, and for principals who
 * may read everything. Somebody else's try is on record, as any denial is.
 */
export function metricsOf(ks: Killswitch, { authenticate, metricsToken }: MetricsAccess): RequestHandler {
  const register = new Registry();
  killswitchMetrics(ks, { register });
  const isScraper = (authorization: string | undefined): boolean => {
    if (metricsToken === undefined) return false;
    return timingSafeEqual(hashOf(authorization ?? ''), hashOf(`Bearer ${metricsToken}`));
  };
  return async (request, response) => {
    if (!isScraper(request.headers.authorization)) {
      const principal = await authenticate(request);
      if (!principal)
        throw new HttpError(
          'unauthenticated',
          'Give METRICS_TOKEN, or credentials of somebody who may read everything',
        );
      await ks.authorise({ principal, action: 'read', scope: { everything: true } });
    }
    response.set({ 'Content-Type': register.contentType, 'Cache-Control': 'no-store' });
    response.send(await register.metrics());
  };
}

/** Of one length, so that the comparison takes the same time whatever was given. */
function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
