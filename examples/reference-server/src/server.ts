import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKillswitch, type Killswitch } from '@agent-killswitch/core';
import {
  agentRouter,
  type KillswitchRouterOptions,
  killswitchRouter,
  mapRoutes,
  noSuchRoute,
  problemHandler,
} from '@agent-killswitch/express-router';
import express, { type Express, type RequestHandler } from 'express';
import { auditOf } from './audit.ts';
import { type ServerConfig, ServerConfigError } from './config.ts';
import { consoleOptions } from './console.ts';
import { hostIdIn, makeStateDir } from './host-id.ts';
import { makeLaunchers, runtimesOf } from './launchers.ts';
import { metricsOf } from './metrics.ts';
import { authenticateBy, makeTokens, readTokens, type Tokens } from './principals.ts';
import { orchestratorRoutes } from './routes.ts';
import { sandboxesOf } from './sandboxes.ts';
import { stateOf } from './state.ts';
import { Supervisor } from './supervisor.ts';
import { webhookOf } from './webhook.ts';
import { Workplaces } from './workplaces.ts';

/** Requests that dawdle are cut off; a kill takes at most 5 s. */
const requestMs = 30_000;

export interface RunningServer {
  readonly url: string;
  readonly ks: Killswitch;
  readonly tokens: Tokens;
  /**
   * Stops listening and closes everything; kills nobody. Calling it again returns the same promise. Rejects with the first
   * failure when all the rest is done.
   */
  close(): Promise<void>;
}

/**
 * Starts the orchestrator: state in SQLite or Valkey, audit in a journal and on request in Postgres, agents as processes, all else below one folder. If anything
 * fails on the way, what was opened is closed again.
 */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const closers: Array<() => unknown> = [];
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (const each of closers.reverse()) {
      try {
        await each();
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
  };
  try {
    const { ks, tokens, app } = await assemble(config, closers);
    const server = createServer({ requestTimeout: requestMs }, app);
    const address = await listen(server, config);
    closers.push(() => stopListening(server));
    return {
      url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
      ks,
      tokens,
      close() {
        closed ??= close();
        return closed;
      },
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

async function assemble(config: ServerConfig, closers: Array<() => unknown>) {
  const tokens = config.principalsFile === undefined ? makeTokens() : await readTokens(config.principalsFile);
  await makeStateDir(config.stateDir);
  const audit = await auditOf(config);
  closers.push(() => audit.close());
  const state = stateOf(config);
  closers.push(() => state.close());
  const hostId = await hostIdIn(config.stateDir, state.isUsed);
  const sandboxes = config.sandboxImage === undefined ? undefined : sandboxesOf(config.sandboxImage, hostId);
  const launchers = makeLaunchers(sandboxes);
  const workplaces = new Workplaces(config);
  closers.push(() => workplaces.close());
  const ks = createKillswitch({
    hostId,
    state: state.store,
    audit: audit.sink,
    runtimes: runtimesOf(launchers),
    cleanup: [...(sandboxes === undefined ? [] : [sandboxes.removal]), ...workplaces.cleanup],
  });
  const { cursorKey, metricsToken } = config;
  const options = {
    authenticate: authenticateBy(tokens),
    audit: audit.sink,
    ...(cursorKey === undefined ? {} : { cursorKey }),
  };
  const metrics = metricsOf(ks, { ...options, ...(metricsToken === undefined ? {} : { metricsToken }) });
  const webhook = webhookOf(ks, config);
  // After the killswitch: what that put on record last is told, too.
  closers.push(() => webhook?.close());
  closers.push(() => ks.close());
  await ks.start();
  workplaces.sweep();
  if (sandboxes !== undefined) closers.push(sandboxes.sweep(ks));
  const supervisor = new Supervisor(ks, launchers, workplaces);
  await supervisor.adopt();
  closers.push(() => supervisor.close());
  return { ks, tokens, app: appOf(ks, supervisor, { ...options, console: consoleOptions(config) }, metrics) };
}

function appOf(
  ks: Killswitch,
  supervisor: Supervisor,
  options: KillswitchRouterOptions,
  metrics: RequestHandler,
): Express {
  const { authenticate } = options;
  const app = express().disable('x-powered-by');
  app.get('/health', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/health/ready', async (_request, response) => {
    const { auditDegraded, gateCount } = await ks.status();
    const status = auditDegraded ? 'audit-degraded' : 'ready';
    response.status(auditDegraded ? 503 : 200).json({ status, gates: gateCount });
  });
  app.get('/metrics', metrics);
  app.get('/', (_request, response) => response.redirect('/api/orchestrator/console/'));
  app.use('/api/orchestrator', killswitchRouter(ks, options));
  app.use(mapRoutes(orchestratorRoutes, { ks, supervisor }, { authenticate }));
  app.use(agentRouter(ks, { authenticate }));
  app.use(noSuchRoute);
  app.use(problemHandler());
  return app;
}

async function stopListening(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function listen(server: Server, { host, port }: ServerConfig): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === 'EADDRINUSE'
          ? 'it is in use: set ORCHESTRATOR_PORT to another, or to 0 for any'
          : error.code;
      reject(new ServerConfigError(`Cannot listen on ${host}:${port}: ${hint}`, { cause: error }));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}
