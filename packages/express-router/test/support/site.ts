import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createKillswitch,
  type Grant,
  type Killswitch,
  type KillswitchOptions,
  type Principal,
} from '@agent-killswitch/core';
import {
  type MemoryAudit,
  type MemoryRuntime,
  memoryAudit,
  memoryRuntime,
  memoryState,
} from '@agent-killswitch/core/memory';
import express from 'express';
import { agentRouter, killswitchRouter, noSuchRoute, openApi, problemHandler } from '../../src/index.ts';
import { checkAnswers } from './answers-by-document.ts';
import { routes } from './routes.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was answered is looked at
  readonly body: any;
}

export interface Site {
  readonly ks: Killswitch;
  readonly runtime: MemoryRuntime;
  readonly audit: MemoryAudit;
  readonly url: string;
  /**
   * Asks as the principal whose id is the bearer token.
   * @throws Error if the answer is not as the OpenAPI document says.
   */
  call(
    who: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  agent(
    agentId: string,
    more?: {
      taskId?: string;
      workspaceId?: string;
      ownerId?: string;
      behaviour?: 'cooperative' | 'immortal';
    },
  ): Promise<void>;
  close(): Promise<void>;
}

export const reason = 'it went rogue';

export const people: Record<string, Principal> = Object.fromEntries(
  Object.entries<Grant[]>({
    root: [{ role: 'super-admin' }],
    ada: [{ role: 'workspace-admin', workspaceId: 'w' }],
    mia: [{ role: 'member', workspaceId: 'w' }],
    bob: [{ role: 'member', workspaceId: 'w' }],
    eve: [{ role: 'workspace-admin', workspaceId: 'other' }],
    nobody: [],
    bot: [{ role: 'member', workspaceId: 'w' }],
    adabot: [{ role: 'workspace-admin', workspaceId: 'w' }],
    rootbot: [{ role: 'super-admin' }],
  }).map(([id, grants]) => [id, { id, kind: id.endsWith('bot') ? 'agent' : 'user', grants }]),
);

const faultOf = checkAnswers(openApi(routes) as never);

/** A killswitch in memory behind both routers, at `/kill`. `waitMs`: of both. */
export async function openSite({
  waitMs = 300,
  ...more
}: Pick<KillswitchOptions, 'cleanup'> & { readonly waitMs?: number } = {}): Promise<Site> {
  const runtime = memoryRuntime();
  const audit = memoryAudit();
  const ks = createKillswitch({
    hostId: 'h',
    state: memoryState(),
    audit,
    runtimes: { memory: runtime },
    ...more,
  });
  await ks.start();
  const authenticate = (request: express.Request) =>
    people[(request.get('authorization') ?? request.get('cookie') ?? '').replace(/^(Bearer |who=)/, '')];
  const options = { authenticate, waitMs };
  const app = express()
    .use('/kill', killswitchRouter(ks, { ...options, audit }), agentRouter(ks, options))
    .use(noSuchRoute)
    .use(problemHandler());
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/kill`;
  return {
    ks,
    runtime,
    audit,
    url,
    async call(who, method, path, body, headers = {}) {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${who}`, ...json, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = { status: response.status, headers: response.headers, body: await response.json() };
      const type = response.headers.get('content-type')?.split(';')[0] ?? '';
      const fault = faultOf(method, path.split('?')[0] ?? '', answer.status, type, answer.body);
      if (fault !== undefined) throw new Error(`Not as the OpenAPI document says: ${fault}`);
      return answer;
    },
    async agent(
      agentId,
      { taskId = `task-${agentId}`, workspaceId = 'w', ownerId = 'mia', behaviour = 'cooperative' } = {},
    ) {
      await ks.admit({ agentId, taskId, workspaceId, ownerId });
      await ks.running(agentId, [runtime.spawn(behaviour)]);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await ks.close();
    },
  };
}
