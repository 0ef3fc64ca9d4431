import { killswitchRouter } from '@agent-killswitch/express-router';
import express from 'express';
import { median } from '../compare.ts';
import type { Report } from '../report.ts';
import type { LoadProcess } from '../support/load-process.ts';
import { admit, crew, mia, served } from './served.ts';

const kills = 4_000;
const rounds = 3;

/** Kills of one in-memory agent each, against a bare Express route that parses the same JSON. */
export async function singleKills(report: Report, sender: LoadProcess): Promise<void> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [our, plain] = [await killRate(sender), await bareRate(sender)];
    // The first of each warms up.
    if (round > 0) ours.push(our);
    if (round > 0) bare.push(plain);
  }
  report({
    metric: 'http.kill',
    value: median(ours),
    unit: 'requests/s',
    baseline: median(bare),
    limit: 0.6,
    direction: 'atLeast',
    n: kills * rounds,
  });
}

async function killRate(sender: LoadProcess): Promise<number> {
  const some = await crew();
  await admit(some, 0, kills);
  const app = express().use(killswitchRouter(some.ks, { authenticate: () => mia }));
  const rate = await served(app, (port) => rateAt(port, sender));
  await some.ks.close();
  return rate;
}

function bareRate(sender: LoadProcess): Promise<number> {
  const app = express().post('/tasks/:id/kill', express.json(), (request, response) => {
    response.json({ id: request.params.id, reason: request.body.reason });
  });
  return served(app, (port) => rateAt(port, sender));
}

async function rateAt(port: number, sender: LoadProcess): Promise<number> {
  const asked = { port, paths: ['/tasks/task-N/kill'], tokens: ['mia'], atOnce: 32, count: kills };
  const { seconds, statuses } = await sender.run(asked);
  if (statuses[200] !== kills) throw new Error(`Not everybody was killed: ${JSON.stringify(statuses)}`);
  return kills / seconds;
}
