import { randomUUID } from 'node:crypto';
import { isKillswitchError, type Killswitch, type Principal } from '@agent-killswitch/core';
import type { Session, Sessions } from '@agent-killswitch/sessions';
import express, { type ErrorRequestHandler, type Express, type Request } from 'express';
import { agent, stubbornAgent } from './agent.ts';
import { personOf } from './people.ts';

const workspaceId = 'acme';
const statuses: Readonly<Record<string, number>> = {
  'invalid-input': 400,
  forbidden: 403,
  'gate-closed': 423,
};

/** An app like any other, whose agents are its own async tasks. */
export function appOf(ks: Killswitch, sessions: Sessions): Express {
  const app = express().disable('x-powered-by').use(express.json());

  app.post('/sessions', async (request, response) => {
    const { id: ownerId } = asking(request);
    const { goal = 'think', steps = 60, stubborn = false } = (request.body ?? {}) as Record<string, unknown>;
    const sessionId = `ses-${randomUUID()}`;
    const task = stubborn === true ? stubbornAgent() : agent(String(goal), Number(steps));
    await sessions.start<unknown>(sessionId, { ownerId, workspaceId }, task);
    response.status(201).json({ sessionId });
  });

  app.get('/sessions', async (request, response) => {
    const principal = asking(request);
    const { items } = await sessions.list({ workspaceId });
    const mayRead = await Promise.all(items.map((session) => ks.may(reading(principal, session))));
    response.json(items.filter((_, n) => mayRead[n]));
  });

  app.get('/sessions/:id', async (request, response) => {
    const principal = asking(request);
    const session = await sessions.get(request.params.id);
    if (session !== undefined) await ks.authorise(reading(principal, session));
    if (session === undefined) response.status(404).json({ detail: 'No such session' });
    else response.json(session);
  });

  app.post('/sessions/kill-all', async (request, response) => {
    const { total, killed, failed, errors } = await sessions.killAll({ ...asked(request), workspaceId });
    response.json({ total, killed, failed, errors });
  });

  app.post('/sessions/:id/kill', async (request, response) => {
    const report = await sessions.kill(request.params.id, asked(request));
    if (report === false) response.status(404).json({ detail: 'No such session, or it is over' });
    else response.status(report.settled ? 200 : 202).json(report);
  });

  return app.use(onError);
}

class NobodyError extends Error {}

function asking(request: Request): Principal {
  const principal = personOf(request);
  if (principal === undefined) throw new NobodyError('Say who you are: Authorization: Bearer …');
  return principal;
}

/** Who asks for a kill, and why. */
function asked(request: Request): { principal: Principal; reason: string } {
  return { principal: asking(request), reason: request.body?.reason };
}

function reading(principal: Principal, { sessionId, workspaceId: of, ownerId }: Session) {
  return { principal, action: 'read', scope: { agent: sessionId }, workspaceId: of, ownerId } as const;
}

const onError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  if (error instanceof NobodyError) response.status(401).json({ detail: error.message });
  else if (isKillswitchError(error))
    response.status(statuses[error.code] ?? 503).json({ code: error.code, detail: error.message });
  else response.status(500).json({ detail: 'Something went wrong' });
};
