import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileJournal } from '@agent-killswitch/adapter-file-audit';
import { promiseRuntime } from '@agent-killswitch/adapter-process';
import { sqliteState } from '@agent-killswitch/adapter-sqlite';
import { createKillswitch } from '@agent-killswitch/core';
import { createSessions, fileSessions, installShutdownHandlers } from '@agent-killswitch/sessions';
import { appOf } from './app.ts';

const { PORT = '3002', STATE_DIR = '.sessions' } = process.env;
mkdirSync(STATE_DIR, { recursive: true });

const promises = promiseRuntime();
const state = sqliteState(join(STATE_DIR, 'state.sqlite'));
const audit = fileJournal(join(STATE_DIR, 'journal'));
const ks = createKillswitch({ hostId: 'sessions-example', state, audit, runtimes: { promise: promises } });
await ks.start();
const sessions = createSessions(ks, { promises, store: fileSessions(join(STATE_DIR, 'checkpoints')) });

const server = createServer(appOf(ks, sessions)).listen(Number(PORT), '127.0.0.1');
await once(server, 'listening');
installShutdownHandlers(ks, {
  graceMs: 5_000,
  async close() {
    await new Promise((resolve) => server.close(resolve));
    state.close();
    await audit.close();
    await sessions.close();
  },
});

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const curl = (path: string, who: string, body?: object): string =>
  `curl -s ${url}${path} -H 'Authorization: Bearer ${who}'${body === undefined ? '' : ` -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`}`;
console.log(`listening on ${url}

Start one, look at it, and kill it by its id; mia and tom are members, admin is their admin:
  ${curl('/sessions', 'mia', { goal: 'count sheep' })}
  ${curl('/sessions', 'mia')}
  ${curl('/sessions/ID/kill', 'mia', { reason: 'it went rogue' })}
  ${curl('/sessions/kill-all', 'admin', { reason: 'drill' })}

Ctrl-C ends it: its agents are told, their last checkpoints kept.`);
