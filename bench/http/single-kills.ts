import { killswitchRouter } from '@agent-killswitch/express-router';
import express from 'express';
import { median } from '../compare.ts';
import type { Report } from '../report.ts';
import type { LoadProcess } from '../support/load-process.ts';
import { admit, crew, mia, served } from './served.ts';

const kills = 4_000;
/** So many first ones are not counted: the compiler is done with a kill after some 20,000 of them. */
const warmUp = 6;
const rounds = 9;

/**
 * Kills of one in-memory agent each, against a bare Express route that parses the same JSON. The sink in memory works its hashes out
 * when somebody asks for them: what that costs on top is reported besides.
 */
export async function singleKills(report: Report, sender: LoadProcess): Promise<void> {
  const ours: number[] = [];
  const chained: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < warmUp + rounds; round++) {
    const { seconds, chainSeconds } = await killing(sender);
    const bareSeconds = await bareRoute(sender);
    if (round < warmUp) continue;
    ours.push(kills / seconds);
    chained.push(kills / (seconds + chainSeconds));
    bare.push(kills / bareSeconds);
  }
  const figure = { unit: 'requests/s', baseline: median(bare), n: kills * rounds };
  report({ ...figure, metric: 'http.kill', value: median(ours), limit: 0.6, direction: 'atLeast' });
  report({ ...figure, metric: 'http.kill.chained', value: median(chained) });
}

async function killing(sender: LoadProcess): Promise<{ seconds: number; chainSeconds: number }> {
  const some = await crew();
  await admit(some, 0, kills);
  const app = express().use(killswitchRouter(some.ks, { authenticate: () => mia }));
  const seconds = await served(app, (port) => secondsAt(port, sender));
  const since = performance.now();
  await some.audit.heads();
  const chainSeconds = (performance.now() - since) / 1_000;
  await some.ks.close();
  return { seconds, chainSeconds };
}

function bareRoute(sender: LoadProcess): Promise<number> {
  const app = express().post('/tasks/:id/kill', express.json(), (request, response) => {
    response.json({ id: request.params.id, reason: request.body.reason });
  });
  return served(app, (port) => secondsAt(port, sender));
}

async function secondsAt(port: number, sender: LoadProcess): Promise<number> {
  const asked = { port, paths: ['/tasks/task-N/kill'], tokens: ['mia'], atOnce: 32, count: kills };
  const { seconds, statuses } = await sender.run(asked);
  if (statuses[200] !== kills) throw new Error(`Not everybody was killed: ${JSON.stringify(statuses)}`);
  return seconds;
}
